import { describe, expect, it } from "vitest";
import { after, before, firstOf, lastOver } from "./periods";

describe("the days a brief tells of", () => {
  it("begin on Monday or on the first of the month", () => {
    expect(firstOf("daily", "2026-11-26")).toBe("2026-11-26");
    expect(firstOf("weekly", "2026-11-26")).toBe("2026-11-23");
    expect(firstOf("weekly", "2026-11-29")).toBe("2026-11-23");
    expect(firstOf("monthly", "2026-02-28")).toBe("2026-02-01");
  });
  it("go back and on by whole ones, whatever a month's length", () => {
    expect(before("monthly", "2026-03-31")).toBe("2026-02-01");
    expect(after("monthly", "2026-01-31")).toBe("2026-02-01");
    expect(before("weekly", "2026-11-25")).toBe("2026-11-16");
    expect(after("daily", "2026-12-31")).toBe("2027-01-01");
  });
  it("are over by the city's clock, not by that of Greenwich", () => {
    expect(lastOver("daily", Date.parse("2026-11-26T15:59:00Z"))).toBe("2026-11-25");
    expect(lastOver("daily", Date.parse("2026-11-26T16:01:00Z"))).toBe("2026-11-26");
    expect(lastOver("weekly", Date.parse("2026-11-29T16:01:00Z"))).toBe("2026-11-23");
    expect(lastOver("monthly", Date.parse("2026-11-30T15:59:00Z"))).toBe("2026-10-01");
  });
});
