import { describe, expect, it } from "vitest";
import { change, spotsOf, written, type Bulletin, type Cell } from "./figures";

const cell = (form: Cell["form"], value: Cell["value"]): Cell => ({ form, value, text: null, low: false });

describe("the cells of a report", () => {
  it("never round a rate up to its promise, and say nothing where there is nothing", () => {
    expect(written(cell("share", 0.9499))).toBe("94.9 %");
    expect(written(cell("share", null))).toBe("—");
    expect(written(cell("change", -3))).toBe("−3");
    expect(written(cell("change", 0))).toBe("±0");
  });
  it("have no change where one of both is missing", () => {
    expect(change(cell("share", 0.5), cell("share", null))).toBeNull();
    expect(change(cell("count", 7), cell("count", 4))).toBe("+3");
  });
});

describe("the spots of a report", () => {
  it("are those of their own table", () => {
    const row = [cell("text", "涪城区"), cell("count", 4), cell("count", 6), cell("change", -2), cell("share", -0.33)];
    const report = { tables: [{ key: "areas", rows: [row] }] } as unknown as Bulletin;
    expect(spotsOf(report, "areas")).toEqual([{ name: "涪城区", cases: 4, before: 6, change: "−2" }]);
    expect(spotsOf(report, "topics")).toEqual([]);
  });
});
