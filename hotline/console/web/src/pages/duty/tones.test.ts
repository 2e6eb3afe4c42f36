import { describe, expect, it } from "vitest";
import { gone, levelTone, stateTone } from "./tones";

describe("a limit", () => {
  const [starts, ends] = ["2026-11-23T02:00:00Z", "2026-11-23T02:20:00Z"];
  it("is gone by so many per cent, and never by more than all", () => {
    expect(gone(starts, ends, Date.parse("2026-11-23T02:05:00Z"))).toBe(25);
    expect(gone(starts, ends, Date.parse("2026-11-23T03:00:00Z"))).toBe(100);
    expect(gone(starts, ends, Date.parse("2026-11-23T01:00:00Z"))).toBe(0);
    expect(gone(ends, starts, 0)).toBe(100);
  });
  it("has a colour for what is grave", () => {
    expect(levelTone("I")).toBe("danger");
    expect(levelTone(null)).toBe("info");
    expect(stateTone("exhausted")).toBe("danger");
  });
});
