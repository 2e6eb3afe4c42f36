// The city's areas as rows of tiles, each with its cases and how dark it is drawn.
import type { components } from "../../../build/api";
import type { Spot } from "./figures";

type Place = components["schemas"]["AreaTile"];
export interface Tile {
  area: string;
  cases: number;
  heat: number; // 0: none, 4: near the most
}

export function rowsOf(places: readonly Place[], spots: readonly Spot[]): (Tile | null)[][] {
  const most = Math.max(1, ...spots.map((one) => one.cases));
  const [rows, columns] = [Math.max(0, ...places.map((one) => one.row)), Math.max(0, ...places.map((one) => one.column))];
  const tile = ({ area }: Place): Tile => {
    const cases = spots.find((one) => one.name === area)?.cases ?? 0;
    return { area, cases, heat: Math.ceil((cases / most) * 4) };
  };
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const found = places.find((one) => one.row === row + 1 && one.column === column + 1);
      return found ? tile(found) : null;
    }),
  );
}
