import { expect, it } from "vitest";
import { rowsOf } from "./tiles";

it("puts each area where the city's folder says, darker the more cases it has", () => {
  const spots = [{ name: "涪城区", cases: 8, before: 0, change: "+8" }, { name: "游仙区", cases: 1, before: 0, change: "+1" }];
  const places = [{ area: "涪城区", row: 2, column: 1 }, { area: "游仙区", row: 2, column: 2 }, { area: "平武县", row: 1, column: 1 }];
  expect(rowsOf(places, spots)).toEqual([
    [{ area: "平武县", cases: 0, heat: 0 }, null],
    [{ area: "涪城区", cases: 8, heat: 4 }, { area: "游仙区", cases: 1, heat: 1 }],
  ]);
  expect(rowsOf([], spots)).toEqual([]);
});
