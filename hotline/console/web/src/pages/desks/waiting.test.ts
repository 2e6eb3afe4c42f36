import { describe, expect, it } from "vitest";
import { following, waitingIn } from "./waiting";

describe("a desk", () => {
  it("goes on with the next row, at the end with the one before", () => {
    expect(following([3, 5, 8], 5)).toBe(8);
    expect(following([3, 5, 8], 8)).toBe(5);
    expect(following([3], 3)).toBeNull();
    expect(following([3, 5], 9)).toBe(3);
  });

  it("counts a state over all lines", () => {
    const numbers = { lines: [{ cases: { open: 2 } }, { cases: { open: 1, draft: 4 } }] };
    expect(waitingIn(numbers as never, "open")).toBe(3);
    expect(waitingIn(null, "open")).toBe(0);
  });
});
