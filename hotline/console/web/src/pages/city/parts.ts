// The parts of a city's data and what can become of each, as reports tell them.
import type { components } from "../../../build/api";

export type Check = components["schemas"]["CityCheck"];
export type Version = components["schemas"]["CityVersion"];
export type Changes = components["schemas"]["CityChanges"];
export const PARTS = ["city", "areas", "units", "catalogue", "cards", "rules", "categories", "words"] as const;
export const SORTS = ["added", "changed", "removed"] as const;
export const TONES = { added: "success", changed: "warning", removed: "danger" } as const;

export interface Part {
  part: (typeof PARTS)[number];
  sorts: { sort: (typeof SORTS)[number]; names: readonly string[] }[];
}

// Only what changes, in the order of the parts.
export function changed(changes: Changes): Part[] {
  return PARTS.map((part) => ({
    part,
    sorts: SORTS.map((sort) => ({ sort, names: changes[part]?.[sort] ?? [] })).filter((one) => one.names.length > 0),
  })).filter((one) => one.sorts.length > 0);
}
