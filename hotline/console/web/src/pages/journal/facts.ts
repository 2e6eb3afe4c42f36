// What a row of the journal tells beside its event: the facts in the order people ask for them.
const SHOWN = [
  "number", "direction", "caller", "callee", "operator", "outcome", "leg", "level1", "kind", "urgency", "area", "unit",
  "seconds", "words", "person", "days", "result", "explanation", "truth", "beyond_duty", "publish", "solved", "satisfied",
  "reason", "basis", "reply", "public_reply", "ruling", "comment", "feedback", "channel", "told", "unsolved_reason",
  "not_contacted", "beyond_duty_reason", "withheld_reason",
];
// The facts whose values have a word each.
const WORD: Record<string, (value: string) => string> = {
  leg: (value) => `side.${value}`,
  direction: (value) => `direction.${value}`,
  outcome: (value) => `outcome.${value}`,
  kind: (value) => `kind.${value}`,
  urgency: (value) => `urgency.${value}`,
  result: (value) => `result.${value}`,
  explanation: (value) => `explanation.${value}`,
  solved: (value) => `solved.${value}`,
  satisfied: (value) => `satisfied.${value}`,
  truth: (value) => `truth.${value}`,
  beyond_duty: (value) => `beyond_duty.${value}`,
  publish: (value) => `publish.${value}`,
};

export interface Fact {
  name: string;
  value: string;
  key: string | null; // of the word of the value
}

export function factsOf(body: Record<string, unknown>): Fact[] {
  return SHOWN.filter((name) => body[name] !== null && body[name] !== undefined && body[name] !== "").map((name) => {
    const value = String(body[name]);
    return { name, value, key: WORD[name]?.(value) ?? null };
  });
}
