import type { components } from "../../../build/api";
import { momentOf } from "../../moments";

// What another page's link asks the list of cases to show: `/cases?area=涪城区&level1=…`.
type Query = Record<string, unknown>;
const NAMES = ["state", "urgency", "area", "unit", "channel", "level1"] as const;
type Narrowed = Partial<Record<(typeof NAMES)[number], string>>;

export function narrowedBy(query: Query): Narrowed {
  const given = NAMES.filter((name) => typeof query[name] === "string" && query[name] !== "");
  return Object.fromEntries(given.map((name) => [name, query[name]])) as Narrowed;
}

// The days of such a link, `since=2026-11-23&until=2026-11-23`: the last one counts, too.
export function daysBy(query: Query): { since: string; until: string } {
  const day = (value: unknown): string => (typeof value === "string" && /^2\d{3}-\d\d-\d\d$/.test(value) ? value : "");
  return { since: day(query.since), until: day(query.until) };
}

// Whole days of the city, both included, as the service wants them; an empty field narrows nothing.
export function spanOf(first: string, last: string): { since: string | null; until: string | null } {
  const after = last ? new Date(Date.parse(`${last}T00:00:00Z`) + 24 * 3600 * 1000).toISOString().slice(0, 10) : "";
  return { since: momentOf(first && `${first}T00:00`), until: momentOf(after && `${after}T00:00`) };
}

// How many cases of all lines stand in each state.
export function countsOf(numbers: components["schemas"]["Numbers"] | null): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of numbers?.lines ?? []) {
    for (const [state, count] of Object.entries(line.cases)) counts[state] = (counts[state] ?? 0) + count;
  }
  return counts;
}
