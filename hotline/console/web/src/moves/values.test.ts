import { describe, expect, it } from "vitest";
import type { Field } from "./forms";
import { beginning, body, inOrder, missing, nextOf, shown } from "./values";

const field = (name: string, more: Partial<Field> = {}): Field => ({ name, sort: "text", must: false, choices: [], when: null, unless: null, ...more });
const ANSWER = [
  field("reply", { must: true }),
  field("solved", { sort: "choice", must: true, choices: ["yes", "no"] }),
  field("unsolved_reason", { when: { field: "solved", value: "no" } }),
  field("contacted_at", { sort: "time" }),
  field("not_contacted", { unless: "contacted_at" }),
  field("publish", { sort: "flag", must: true }),
  field("evidence", { sort: "evidence" }),
];

describe("a move's form", () => {
  it("begins with what the case says already", () => {
    const values = beginning([field("kind"), field("days", { sort: "days" }), field("reason"), field("helpers", { sort: "units" })], { kind: "help", asked_days: 3, reason: "never taken from the case" });
    expect(values).toEqual({ kind: "help", days: 3, reason: null, helpers: [] });
  });

  it("asks for a field only where another one calls for it", () => {
    const values = beginning(ANSWER, {});
    expect(shown(ANSWER, values).map((one) => one.name)).not.toContain("unsolved_reason");
    expect(missing(ANSWER, values)).toEqual(["reply", "solved", "not_contacted", "publish"]);
    Object.assign(values, { reply: " 已修好 ", solved: "no", publish: false, contacted_at: "2026-11-26T10:00" });
    expect(missing(ANSWER, values)).toEqual(["unsolved_reason"]);
  });

  it("sends what was given and shown, nothing else", () => {
    const values = { reply: " 已修好 ", solved: "yes", unsolved_reason: "前面写的", contacted_at: "2026-11-26T10:00", not_contacted: null, publish: false, evidence: [] };
    expect(body(ANSWER, values)).toEqual({ reply: "已修好", solved: "yes", contacted_at: "2026-11-26T02:00:00.000Z", publish: false });
  });

  it("leads to the next step of a state where it is possible", () => {
    expect(inOrder(["withdraw", "raise_level", "dispatch"], "open")[0]).toBe("dispatch");
    expect(nextOf(["hand_over"], "open")).toBeNull();
    expect(nextOf(["hand_over", "accept"], "handling")).toBe("accept");
  });
});
