import { describe, expect, it } from "vitest";
import { faultSteps, supervisionSteps, trackedSteps } from "./records";

const names = (steps: { name: string }[]): string[] => steps.map((step) => step.name);

describe("what a unit may do with a record", () => {
  it("reads a notice once, answers while it is open", () => {
    expect(names(supervisionSteps({ state: "open", noticed_at: null }))).toEqual(["notice", "answer", "progress"]);
    expect(names(supervisionSteps({ state: "answered", noticed_at: "x" }))).toEqual(["progress"]);
    expect(names(supervisionSteps({ state: "cleared", noticed_at: "x" }))).toEqual([]);
  });

  it("signs for an item before it reports", () => {
    expect(names(trackedSteps({ state: "given" }))).toEqual(["sign"]);
    expect(names(trackedSteps({ state: "going" }))).toEqual(["report", "progress"]);
    expect(names(trackedSteps({ state: "reported" }))).toEqual([]);
  });

  it("appeals against a fault once, after it was decided", () => {
    expect(names(faultSteps({ state: "recorded", appealed_at: null }))).toEqual(["statement"]);
    expect(names(faultSteps({ state: "upheld", appealed_at: null }))).toEqual(["appeal"]);
    expect(names(faultSteps({ state: "upheld", appealed_at: "x" }))).toEqual([]);
  });
});
