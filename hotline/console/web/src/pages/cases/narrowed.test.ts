import { expect, it } from "vitest";
import { narrowedBy } from "./narrowed";

it("takes the filters that a link names and nothing else", () => {
  expect(narrowedBy({ area: "涪城区", level1: "市政", unit: "", mine: "true", state: ["open", "draft"] })).toEqual({ area: "涪城区", level1: "市政" });
});
