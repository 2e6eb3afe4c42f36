import { describe, expect, it } from "vitest";
import { stepsOf } from "./course";

const BARE = { outcome: null, drafted_at: "2026-11-26T01:00:00Z", opened_at: null, dispatched_at: null, signed_at: null, answered_at: null, closed_at: null };

describe("the course of a case", () => {
  it("shows a bend at the place it bends from", () => {
    const steps = stepsOf({ ...BARE, state: "extension_asked", opened_at: "x", dispatched_at: "x", signed_at: "x" });
    expect(steps.find((one) => one.now)?.state).toBe("extension_asked");
    expect(steps.filter((one) => one.passed).map((one) => one.state)).toEqual(["draft", "open", "dispatched"]);
  });

  it("does not claim what a case that was answered at once came past", () => {
    const steps = stepsOf({ ...BARE, state: "closed", outcome: "direct", opened_at: "x", closed_at: "x" });
    expect(steps.filter((one) => one.skipped).map((one) => one.state)).toEqual(["dispatched", "handling", "answered", "calling_back"]);
  });
});
