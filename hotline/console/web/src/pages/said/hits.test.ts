import { expect, test } from "vitest";
import { partsOf, startOf, wholeAt } from "./hits";

test("what was asked for stands out, counted by characters", () => {
  expect(partsOf({ sentence: "我在涪城区。", first: 2, last: 5 })).toEqual([
    { text: "我在", found: false },
    { text: "涪城区", found: true },
    { text: "。", found: false },
  ]);
  expect(partsOf({ sentence: "𠮷祥街", first: 1, last: 3 })).toEqual([
    { text: "𠮷", found: false },
    { text: "祥街", found: true },
  ]);
});

test("a day begins at midnight in the city, and ends with the next one", () => {
  expect(startOf("2026-11-23")).toBe("2026-11-22T16:00:00.000Z");
  expect(startOf("2026-11-23", 1)).toBe("2026-11-23T16:00:00.000Z");
  expect(startOf("")).toBeNull();
});

test("the whole sound is heard from the same second", () => {
  expect(wholeAt("/s?whole=true", "/s#t=13.48")).toBe("/s?whole=true#t=13.48");
  expect(wholeAt("/s?whole=true", "/s")).toBe("/s?whole=true");
});
