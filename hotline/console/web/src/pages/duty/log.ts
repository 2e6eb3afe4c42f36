// The parts of an entry that the desk writes.
export const PARTS = ["place", "cause", "course", "measures", "result"] as const;

// Who reported, in a line; what is not known is left out.
export function reporterOf(told: { unit?: unknown; name?: unknown; post?: unknown; phone?: unknown }): string {
  return [told.unit, told.post, told.name, told.phone].filter(Boolean).map(String).join(" · ");
}
