// What a row of the journal tells beside its event: the facts in the order people ask for them.
const SHOWN = [
  "number", "direction", "caller", "callee", "operator", "outcome", "leg", "level1", "kind", "urgency", "area", "unit",
  "seconds", "words", "person", "days", "result", "explanation", "truth", "beyond_duty", "publish", "solved", "satisfied",
  "reason", "basis", "reply", "public_reply", "ruling", "comment", "feedback", "channel", "told", "unsolved_reason",
  "not_contacted", "beyond_duty_reason", "withheld_reason",
];
// The facts whose values have a word each, and the group their words stand in.
const WORDED: Record<string, string> = { leg: "side" };
const GROUPS = ["direction", "outcome", "kind", "urgency", "result", "explanation", "solved", "satisfied", "truth", "beyond_duty", "publish"];

export interface Fact {
  name: string;
  value: string;
  group: string | null;
}

export function factsOf(body: Record<string, unknown>): Fact[] {
  return SHOWN.filter((name) => body[name] !== null && body[name] !== undefined && body[name] !== "").map((name) => ({
    name,
    value: String(body[name]),
    group: WORDED[name] ?? (GROUPS.includes(name) ? name : null),
  }));
}
