// The board's lines, one a unit and level, as a table of units with a cell for each level.
import type { components } from "../../../build/api";

export type Line = components["schemas"]["BoardLine"];
export const LEVELS = ["urge", "supervise", "list"] as const;

export interface BoardRow {
  unit: string | null; // null: the office itself
  cells: (Line | null)[]; // as LEVELS
  live: number;
  answered: number;
  over: number;
  oldest: string;
}

export interface Totals {
  live: number;
  answered: number;
  over: number;
  listed: number;
}

const sum = (lines: readonly Line[], of: "live" | "answered" | "over"): number => lines.reduce((all, one) => all + one[of], 0);

// Most past their limit first, then most live ones, then the oldest.
export function rowsOf(lines: readonly Line[]): BoardRow[] {
  const units = [...new Set(lines.map((line) => line.unit))];
  const rows = units.map((unit) => {
    const own = lines.filter((line) => line.unit === unit);
    const oldest = own.map((line) => line.oldest).sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? "";
    const cells = LEVELS.map((level) => own.find((line) => line.level === level) ?? null);
    return { unit, cells, oldest, live: sum(own, "live"), answered: sum(own, "answered"), over: sum(own, "over") };
  });
  return rows.sort((a, b) => b.over - a.over || b.live - a.live || Date.parse(a.oldest) - Date.parse(b.oldest));
}

export const totalsOf = (lines: readonly Line[]): Totals => ({
  live: sum(lines, "live"),
  answered: sum(lines, "answered"),
  over: sum(lines, "over"),
  listed: sum(lines.filter((line) => line.level === "list"), "live"),
});
