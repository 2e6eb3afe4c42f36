import { describe, expect, it } from "vitest";
import { faultDeeds, supervisionDeeds, trackedDeeds, type Deed } from "./deeds";

const names = (deeds: Deed[]): string[] => deeds.map((deed) => deed.name);

describe("what the overseeing side may do", () => {
  it("clears and raises a unit's record, but raises none above the highest level", () => {
    const open = { state: "open", level: "urge", unit: "甲局", noticed_at: null } as const;
    expect(names(supervisionDeeds(open, true))).toEqual(["clear", "raise", "progress"]);
    expect(names(supervisionDeeds({ ...open, level: "list" }, true))).toEqual(["clear", "progress"]);
    expect(names(supervisionDeeds(open, false))).toEqual(["progress"]);
    expect(names(supervisionDeeds({ ...open, state: "cleared" }, true))).toEqual([]);
  });

  it("answers for the office where the office is supervised", () => {
    const own = { state: "open", level: "urge", unit: null, noticed_at: null } as const;
    expect(names(supervisionDeeds(own, false))).toEqual(["notice", "answer", "progress"]);
    expect(names(supervisionDeeds({ ...own, state: "answered", noticed_at: "x" }, false))).toEqual(["progress"]);
  });

  it("accepts what was reported, takes back what is live", () => {
    expect(names(trackedDeeds({ state: "reported", unit: "甲局" }, true))).toEqual(["accept", "send-back", "progress", "end"]);
    expect(names(trackedDeeds({ state: "given", unit: "甲局" }, true))).toEqual(["progress", "end"]);
    expect(names(trackedDeeds({ state: "given", unit: null }, false))).toEqual(["sign", "progress"]);
    expect(names(trackedDeeds({ state: "done", unit: null }, true))).toEqual([]);
  });

  it("decides a fault, then its appeal, each by those who decide only", () => {
    expect(names(faultDeeds({ state: "recorded" }, true))).toEqual(["decide"]);
    expect(names(faultDeeds({ state: "appealed" }, true))).toEqual(["decide-appeal"]);
    expect(names(faultDeeds({ state: "upheld" }, true))).toEqual([]);
    expect(names(faultDeeds({ state: "recorded" }, false))).toEqual([]);
  });
});
