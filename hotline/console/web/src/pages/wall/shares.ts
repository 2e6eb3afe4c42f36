// What the wall says of a rate and of a call; nothing here asks or draws.
import type { components } from "../../../build/api";

export type Ratio = components["schemas"]["RatioView"];
export type Call = components["schemas"]["CallView"];
export type Seat = components["schemas"]["OperatorView"];

export type Tone = "good" | "bad" | "calm";

// A rate without a denominator is neither kept nor broken.
export function toneOf(ratio: Ratio, promise: number): Tone {
  if (ratio.value === null) return "calm";
  return ratio.value >= promise ? "good" : "bad";
}

// How far a call is, and since when.
export function stageOf(call: Call): { stage: string; at: string } {
  if (call.answered_at) return { stage: "talking", at: call.answered_at };
  if (call.message_at) return { stage: "message", at: call.message_at };
  if (call.ringing_at) return { stage: "ringing", at: call.queued_at ?? call.ringing_at };
  if (call.queued_at) return { stage: "waiting", at: call.queued_at };
  return { stage: "notice", at: call.started_at };
}

// Whoever waits stands first, then those who speak; of each the longest first.
export function byNeed(calls: readonly Call[]): Call[] {
  const facts = calls.map((call) => ({ call, ...stageOf(call) }));
  const last = (one: { stage: string }): number => (one.stage === "talking" ? 1 : 0);
  facts.sort((a, b) => last(a) - last(b) || Date.parse(a.at) - Date.parse(b.at));
  return facts.map((one) => one.call);
}

// Seats by state, those that speak first, those that are not there last.
export const SEAT_STATES = ["talking", "ringing", "wrapup", "ready", "paused", "logged_out"] as const;
export function seatsByState(seats: readonly Seat[]): { state: string; seats: Seat[] }[] {
  return SEAT_STATES.map((state) => ({ state, seats: seats.filter((one) => one.state === state) }));
}

// What waits for the desk itself; of what waits for a unit only the overdue is the wall's business.
export const DESKS = ["draft", "open", "consulting", "return_asked", "extension_asked", "termination_asked", "answered", "calling_back"];
export const UNITS = ["dispatched", "handling"];
const URGENT: Record<string, number> = { emergency: 0, urgent: 1, normal: 2 };
type Case = components["schemas"]["CaseView"];

export function waitingCases(found: readonly Case[], most: number): { count: number; shown: Case[] } {
  const late = found.filter((one) => one.standing === "overdue");
  const known = new Set(late.map((one) => one.id));
  const desk = found.filter((one) => DESKS.includes(one.state) && !known.has(one.id));
  desk.sort((a, b) => (URGENT[a.urgency] ?? 2) - (URGENT[b.urgency] ?? 2) || b.id - a.id);
  const hot = desk.filter((one) => one.urgency === "emergency");
  const all = [...hot, ...late, ...desk.filter((one) => one.urgency !== "emergency")];
  return { count: all.length, shown: all.slice(0, most) };
}
