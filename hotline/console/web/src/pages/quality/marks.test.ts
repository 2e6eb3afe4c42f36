import { describe, expect, it } from "vitest";
import { begun, given, wrongItems, wrongWith, type Item, type MarkForm } from "./marks";

const item = (key: string, lines: string[] = [], most = 8): Item => ({ key, lines, most }) as Item;
const ITEMS = [item("greeting"), item("duty_greeting", ["duty"]), item("rude", [], 14)];

function begins(line = "mayor"): Record<string, MarkForm> {
  return begun(ITEMS, line);
}

describe("a call scored by hand", () => {
  it("begins with everything kept, but for what this line does not ask", () => {
    expect(Object.values(begins()).map((mark) => mark.verdict)).toEqual(["kept", "not_asked", "kept"]);
    expect(begins("duty").duty_greeting?.verdict).toBe("kept");
  });

  it("wants points within the item's bounds, and both ends of a moment in order", () => {
    const mark: MarkForm = { verdict: "lost", lost: 0, start: "", end: "", note: "" };
    expect(wrongWith(mark, item("rude", [], 14))).toBe("quality.wrong_points");
    expect(wrongWith({ ...mark, lost: 15 }, item("rude", [], 14))).toBe("quality.wrong_points");
    expect(wrongWith({ ...mark, lost: 7, start: "3" }, item("rude", [], 14))).toBe("quality.wrong_moment");
    expect(wrongWith({ ...mark, lost: 7, start: "9", end: "3" }, item("rude", [], 14))).toBe("quality.wrong_moment");
    expect(wrongWith({ ...mark, lost: 7, start: "3", end: "9.5" }, item("rude", [], 14))).toBe("");
  });

  it("names the items that cannot be sent yet", () => {
    const forms = begins();
    forms.rude = { ...forms.rude!, verdict: "lost" };
    expect(wrongItems(ITEMS, forms)).toEqual(["rude"]);
  });

  it("sends no points and no moment where nothing was lost", () => {
    const forms = begins();
    forms.greeting = { verdict: "kept", lost: 5, start: "1", end: "2", note: " 清楚 " };
    expect(given(ITEMS, forms)[0]).toEqual({ item: "greeting", verdict: "kept", lost: 0, start: null, end: null, note: "清楚" });
    expect(given(ITEMS, forms)).toHaveLength(3);
  });
});
