// How a call went: its stage now, and its parts one after another.
import type { components } from "../../../build/api";

type Call = components["schemas"]["CallView"];

export const OUTCOMES = ["answered", "abandoned", "abandoned_short", "unanswered", "voicemail", "blocked", "busy", "failed"] as const;
export const CALL_TONES: Record<string, "success" | "danger" | "info" | "warning"> = {
  answered: "success", abandoned: "danger", unanswered: "danger", failed: "danger", talking: "success", waiting: "warning", ringing: "warning",
};

export function stageOf(call: Pick<Call, "outcome" | "answered_at" | "message_at" | "ringing_at" | "queued_at">): string {
  if (call.outcome) return "ended";
  if (call.answered_at) return "talking";
  if (call.message_at) return "message";
  if (call.ringing_at) return "ringing";
  return call.queued_at ? "waiting" : "notice";
}

// Whom a call is with: who called, or whom we called.
export const otherParty = (call: Pick<Call, "direction" | "caller" | "callee">): string => (call.direction === "incoming" ? call.caller : call.callee);

export interface Stretch {
  name: "notice" | "wait" | "talk";
  seconds: number;
}

type Timed = Pick<Call, "direction" | "started_at" | "queued_at" | "ringing_at" | "answered_at" | "message_at" | "ended_at">;

// The parts of a call that took time, in their order; `now` ends one that goes on.
export function stretchesOf(call: Timed, now: number): Stretch[] {
  const at = (value: string | null): number | null => (value ? Date.parse(value) / 1000 : null);
  const start = at(call.started_at) ?? now;
  const end = at(call.ended_at) ?? now;
  const answered = at(call.answered_at) ?? at(call.message_at) ?? end;
  const queued = at(call.queued_at) ?? (call.direction === "incoming" ? end : at(call.ringing_at) ?? end);
  const waiting = Math.min(queued, answered);
  const parts: Stretch[] = [
    { name: "notice", seconds: waiting - start }, { name: "wait", seconds: answered - waiting }, { name: "talk", seconds: end - answered },
  ];
  return parts.filter((part) => part.seconds >= 0.05);
}
