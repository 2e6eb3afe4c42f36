// How a case stands on the way most cases go; the other states are bends of it.
import type { Case } from "../../moves/forms";

export const WAY = ["draft", "open", "dispatched", "handling", "answered", "calling_back", "closed"] as const;
export const STATES = [
  "draft", "open", "consulting", "dispatched", "return_asked", "handling", "extension_asked", "termination_asked", "answered", "calling_back", "closed", "archived",
] as const;
const BEND_OF: Record<string, string> = {
  consulting: "open", return_asked: "dispatched", extension_asked: "handling", termination_asked: "handling", archived: "closed",
};
export const TONES: Record<string, "danger" | "warning" | "success" | "info"> = {
  overdue: "danger", late: "warning", on_time: "success", running: "info",
};
export const URGENT: Record<string, "danger" | "warning"> = { emergency: "danger", urgent: "warning" };

export interface Step {
  state: string;
  at: string | null;
  passed: boolean;
  now: boolean;
  skipped: boolean; // the case came past it without being in it
}

type Dated = Pick<Case, "state" | "outcome" | "drafted_at" | "opened_at" | "dispatched_at" | "signed_at" | "answered_at" | "closed_at">;

export function stepsOf(one: Dated): Step[] {
  const at: Record<string, string | null> = {
    draft: one.drafted_at, open: one.opened_at, dispatched: one.dispatched_at, handling: one.signed_at, answered: one.answered_at,
    calling_back: one.outcome === "handled" ? one.closed_at : null, closed: one.closed_at,
  };
  const now = WAY.indexOf((BEND_OF[one.state] ?? one.state) as (typeof WAY)[number]);
  return WAY.map((state, place) => ({
    state: place === now ? one.state : state,
    at: at[state] ?? null,
    passed: place < now && Boolean(at[state]),
    skipped: place < now && !at[state],
    now: place === now,
  }));
}

// The journal masks numbers in what people wrote; a case's own page shows it word for word.
export const SORTS = [
  "summary", "reply", "public_reply", "reason", "basis", "ruling", "comment", "feedback", "channel", "told", "unsolved_reason",
  "not_contacted", "beyond_duty_reason", "withheld_reason", "place", "found",
];

export function written(entry: Case["history"][number], texts: Case["texts"]): { sort: string; text: string }[] {
  return SORTS.flatMap((sort) => {
    const whole = texts.find((text) => text.at === entry.at && text.sort === sort)?.text ?? entry.body[sort];
    return typeof whole === "string" && whole ? [{ sort, text: whole }] : [];
  });
}

// The newest text of a sort, such as the reply that now stands.
export const latest = (one: Case, sort: string): string | null => one.texts.findLast((text) => text.sort === sort)?.text ?? null;
