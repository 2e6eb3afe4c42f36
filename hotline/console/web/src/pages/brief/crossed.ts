// Categories down, areas across, the most of both first.
interface Place { level1: string; area: string; cases: number }
export interface Crossed { areas: string[]; rows: { level1: string; counts: number[]; sum: number }[] }

function sums(places: readonly Place[], of: "level1" | "area"): [string, number][] {
  const found = new Map<string, number>();
  for (const one of places) found.set(one[of], (found.get(one[of]) ?? 0) + one.cases);
  return [...found].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0], "zh"));
}

export function crossed(places: readonly Place[]): Crossed {
  const areas = sums(places, "area").map(([area]) => area);
  const count = (level1: string, area: string): number => places.find((one) => one.level1 === level1 && one.area === area)?.cases ?? 0;
  const rows = sums(places, "level1").map(([level1, sum]) => ({ level1, sum, counts: areas.map((area) => count(level1, area)) }));
  return { areas, rows };
}
