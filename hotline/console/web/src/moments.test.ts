import { describe, expect, it } from "vitest";
import { dayOf, fieldOf, momentOf } from "./moments";

describe("a field's time", () => {
  it("is the city's, wherever the browser stands", () => {
    expect(momentOf("2026-11-23T10:30")).toBe("2026-11-23T02:30:00.000Z");
    expect(fieldOf("2026-11-23T02:30:00Z")).toBe("2026-11-23T10:30");
    expect(momentOf(fieldOf("2026-12-31T17:05:00Z"))).toBe("2026-12-31T17:05:00.000Z");
    expect(dayOf("2026-12-31T17:05:00Z")).toBe("2027-01-01");
  });
  it("is nothing where nothing or nonsense was written", () => {
    expect(momentOf("")).toBeNull();
    expect(momentOf("tomorrow")).toBeNull();
    expect(fieldOf(null)).toBe("");
  });
});
