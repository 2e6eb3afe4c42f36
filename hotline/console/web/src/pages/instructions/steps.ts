// What can be done with an instruction in each state, as the service has it.
export type Step = "pass_on" | "feedback" | "done" | "withdraw";

const STEPS: Record<string, Step[]> = {
  given: ["pass_on", "withdraw"],
  passed_on: ["feedback", "done", "withdraw"],
};
export const stepsOf = (state: string): Step[] => STEPS[state] ?? [];

const SENT: Record<Step, [path: string, field: string]> = {
  pass_on: ["/pass-on", "to"],
  feedback: ["/feedback", "text"],
  done: ["/done", "evidence"],
  withdraw: ["/withdraw", "reason"],
};

// Where a step is sent, and its one field with what was written.
export function sentBy(step: Step, words: string): { path: string; body: Record<string, string> } {
  const [path, field] = SENT[step];
  return { path, body: { [field]: words.trim() } };
}
