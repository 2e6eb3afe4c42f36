import { expect, it } from "vitest";
import { lastMonday } from "./weeks";

it("is the Monday before this week's, in the city", () => {
  expect(lastMonday(Date.parse("2026-11-23T02:30:00Z"))).toBe("2026-11-16"); // a Monday
  expect(lastMonday(Date.parse("2026-11-29T15:59:00Z"))).toBe("2026-11-16"); // Sunday, an hour to midnight
  expect(lastMonday(Date.parse("2026-11-29T16:01:00Z"))).toBe("2026-11-23"); // Monday there already
});
