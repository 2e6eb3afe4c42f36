// How grave something is, in the colours every page uses; the word always stands beside it.
export type Tone = "danger" | "warning" | "success" | "info" | "primary";

const LEVELS: Record<string, Tone> = { I: "danger", II: "danger", III: "warning", IV: "info" };
const STATES: Record<string, Tone> = {
  raised: "danger", open: "warning", closed: "success", dismissed: "info",
  running: "warning", acknowledged: "success", exhausted: "danger",
  waiting: "info", ringing: "primary", unanswered: "warning", failed: "danger",
  given: "warning", passed_on: "primary", done: "success", withdrawn: "info",
};
export const levelTone = (level: string | null | undefined): Tone => LEVELS[level ?? ""] ?? "info";
export const stateTone = (state: string): Tone => STATES[state] ?? "info";

// How much of a limit has gone, from 0 to 100; a stopped one stands where it was stopped.
export function gone(starts: string, ends: string, at: number): number {
  const [from, until] = [Date.parse(starts), Date.parse(ends)];
  if (until <= from) return 100;
  return Math.round(Math.min(1, Math.max(0, (at - from) / (until - from))) * 100);
}

// The words of the emergency plan: how grave an incident is, and of which sort.
export const GRADES = ["I", "II", "III", "IV"];
export const TYPES = ["natural", "accident", "public_health", "social_security"];
