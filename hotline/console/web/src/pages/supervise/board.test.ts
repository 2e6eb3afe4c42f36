import { describe, expect, it } from "vitest";
import { rowsOf, totalsOf, type Line } from "./board";

const line = (unit: string | null, level: Line["level"], live: number, over: number, oldest: string): Line =>
  ({ unit, level, live, answered: 1, over, oldest });
const LINES = [
  line("甲局", "urge", 3, 0, "2026-03-01T00:00:00Z"),
  line("乙局", "urge", 1, 1, "2026-02-01T00:00:00Z"),
  line("乙局", "list", 2, 0, "2026-01-01T00:00:00+08:00"),
  line(null, "supervise", 1, 0, "2026-04-01T00:00:00Z"),
];

describe("the supervision board", () => {
  it("has a row a unit, what is past its limit first, the office among them", () => {
    expect(rowsOf(LINES).map((row) => row.unit)).toEqual(["乙局", "甲局", null]);
  });

  it("keeps each level in its own cell and adds them up", () => {
    const row = rowsOf(LINES)[0];
    expect(row?.cells.map((cell) => cell?.live ?? 0)).toEqual([1, 0, 2]);
    expect([row?.live, row?.answered, row?.over, row?.oldest]).toEqual([3, 2, 1, "2026-01-01T00:00:00+08:00"]);
  });

  it("counts the whole city, nothing twice", () => {
    expect(totalsOf(LINES)).toEqual({ live: 7, answered: 4, over: 1, listed: 2 });
    expect(totalsOf([])).toEqual({ live: 0, answered: 0, over: 0, listed: 0 });
  });
});
