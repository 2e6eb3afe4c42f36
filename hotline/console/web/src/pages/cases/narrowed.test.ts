import { describe, expect, it } from "vitest";
import { countsOf, daysBy, narrowedBy, spanOf } from "./narrowed";

it("takes the filters that a link names and nothing else", () => {
  expect(narrowedBy({ area: "涪城区", level1: "市政", unit: "", mine: "true", state: ["open", "draft"] })).toEqual({ area: "涪城区", level1: "市政" });
});

describe("the days of a list", () => {
  it("are whole days of the city, the last one included", () => {
    expect(spanOf("2026-11-01", "2026-11-30")).toEqual({ since: "2026-10-31T16:00:00.000Z", until: "2026-11-30T16:00:00.000Z" });
    expect(spanOf("", "")).toEqual({ since: null, until: null });
  });
});

it("takes a link's days, and only days", () => {
  expect(daysBy({ since: "2026-11-01", until: "soon" })).toEqual({ since: "2026-11-01", until: "" });
});

describe("the cases of each state", () => {
  it("are those of all lines together", () => {
    const told = { lines: [{ cases: { draft: 2, open: 1 } }, { cases: { draft: 3 } }] };
    expect(countsOf(told as never)).toEqual({ draft: 5, open: 1 });
    expect(countsOf(null)).toEqual({});
  });
});
