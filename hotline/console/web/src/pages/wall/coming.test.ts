import { expect, it } from "vitest";
import { coming, daysOf, hourOf, type Hour } from "./coming";

const hour = (day: string, at: number): Hour => ({ day, hour: at }) as Hour;

it("takes the hour of the hotline, not of the browser", () => {
  expect(hourOf(Date.parse("2026-11-23T17:30:00Z"))).toEqual({ day: "2026-11-24", hour: 1 });
});

it("begins with the hour that goes on and goes over midnight", () => {
  const hours = [hour("2026-11-23", 21), hour("2026-11-23", 22), hour("2026-11-23", 23), hour("2026-11-24", 0)];
  const found = coming(hours, Date.parse("2026-11-23T14:59:00Z"), 2);
  expect(found.map((one) => one.hour)).toEqual([22, 23]);
  expect(daysOf(hours)).toEqual(["2026-11-23", "2026-11-24"]);
});
