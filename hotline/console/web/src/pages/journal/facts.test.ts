import { expect, it } from "vitest";
import { factsOf } from "./facts";

it("tells what is there, in its own order, and names the word of a value", () => {
  expect(factsOf({ unit: "市水务集团", leg: "caller", days: 0, publish: false, area: null, reason: "", unheard: 1 })).toEqual([
    { name: "leg", value: "caller", key: "side.caller" },
    { name: "unit", value: "市水务集团", key: null },
    { name: "days", value: "0", key: null },
    { name: "publish", value: "false", key: "publish.false" },
  ]);
});
