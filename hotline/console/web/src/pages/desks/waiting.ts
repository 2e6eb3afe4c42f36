// How many cases stand in each state, over all lines.
import type { components } from "../../../build/api";

export type Numbers = components["schemas"]["Numbers"];

export function waitingIn(numbers: Numbers | null, state: string): number {
  return (numbers?.lines ?? []).reduce((sum, line) => sum + ((line.cases as Record<string, number>)[state] ?? 0), 0);
}

// The row to go on with once one is done: the one after it, else the one before.
export function following(ids: readonly number[], done: number): number | null {
  const at = ids.indexOf(done);
  if (at < 0) return ids[0] ?? null;
  return ids[at + 1] ?? ids[at - 1] ?? null;
}
