import { expect, it } from "vitest";
import { factsOf } from "./facts";

it("tells what is there, in its own order, and names the group of words of a value", () => {
  expect(factsOf({ unit: "市水务集团", leg: "caller", days: 0, publish: false, area: null, reason: "", unheard: 1 })).toEqual([
    { name: "leg", value: "caller", group: "side" },
    { name: "unit", value: "市水务集团", group: null },
    { name: "days", value: "0", group: null },
    { name: "publish", value: "false", group: "publish" },
  ]);
});
