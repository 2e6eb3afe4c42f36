// Which call this seat has: the one it talks on, else the one that rings for it.
import type { components } from "../../../build/api";

export type Call = components["schemas"]["CallView"];

export function mine(calls: readonly Call[], seat: string, state: string | undefined): Call | null {
  const live = calls.filter((one) => one.ended_at === null);
  const own = live.find((one) => one.operator === seat && one.answered_at !== null);
  if (own) return own;
  if (state !== "ringing") return null;
  const rings = live.filter((one) => one.ringing_at !== null && one.answered_at === null);
  const here = rings.find((one) => one.ringing.includes(seat));
  if (here) return here;
  // A service that was started in the middle of the ring does not know the seats: one call is no guess.
  return rings.length === 1 && rings[0]?.ringing.length === 0 ? rings[0] : null;
}

// What the caller's earlier calls and open cases are, as the ring told it.
export interface History {
  calls: number;
  not_answered: number;
  last_call_at: string | null;
  open: number;
  open_cases: { id: number; number: string; state: string; urgency: string; unit: string | null }[];
}

export function historyOf(entries: readonly { event: string; body: Record<string, unknown> }[]): History | null {
  const ring = entries.find((one) => one.event === "call.ringing");
  return (ring?.body.history as History | undefined) ?? null;
}
