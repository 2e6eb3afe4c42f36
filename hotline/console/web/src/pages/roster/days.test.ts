import { expect, it } from "vitest";
import { byDay } from "./days";

it("puts a shift on the city's day it begins, in order, one before midnight included", () => {
  const night = { starts_at: "2026-11-26T15:59:00Z" };
  const next = { starts_at: "2026-11-26T16:00:00Z" };
  const morning = { starts_at: "2026-11-26T00:00:00Z" };
  expect(byDay([next, night, morning])).toEqual([
    { day: "2026-11-26", shifts: [morning, night] },
    { day: "2026-11-27", shifts: [next] },
  ]);
  expect(byDay([])).toEqual([]);
});
