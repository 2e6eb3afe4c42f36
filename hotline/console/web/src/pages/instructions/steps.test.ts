import { describe, expect, it } from "vitest";
import { sentBy, stepsOf } from "./steps";

describe("an instruction", () => {
  it("is answered and ended only after it was passed on", () => {
    expect(stepsOf("given")).toEqual(["pass_on", "withdraw"]);
    expect(stepsOf("passed_on")).toEqual(["feedback", "done", "withdraw"]);
    expect(stepsOf("done")).toEqual([]);
  });
  it("is sent by the field its step has", () => {
    expect(sentBy("pass_on", " 王科长 ")).toEqual({ path: "/pass-on", body: { to: "王科长" } });
    expect(sentBy("done", "已排空").body).toEqual({ evidence: "已排空" });
  });
});
