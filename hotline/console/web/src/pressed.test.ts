import { expect, it } from "vitest";
import { isWriting, pressed, type Stroke } from "./pressed";

const stroke = (more: Partial<Stroke>): Stroke => ({ key: "j", code: "KeyJ", altKey: false, ctrlKey: false, metaKey: false, isComposing: false, defaultPrevented: false, ...more });

it("is the letter, and with Alt the place of the key", () => {
  expect(pressed(stroke({}))).toBe("j");
  expect(pressed(stroke({ key: "?", code: "Slash" }))).toBe("?");
  expect(pressed(stroke({ altKey: true, key: "å", code: "KeyA" }))).toBe("Alt+a");
  expect(pressed(stroke({ altKey: true, key: "Enter", code: "Enter" }))).toBe("Alt+Enter");
});

it("is none of the page's where the browser or an input method has it", () => {
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { isComposing: true }, { defaultPrevented: true }, { ctrlKey: true, altKey: true }]) {
    expect(pressed(stroke(more))).toBeNull();
  }
});

it("is writing in every field that takes letters, and in no other", () => {
  expect([{ tagName: "INPUT", type: "text" }, { tagName: "TEXTAREA" }, { tagName: "SELECT" }, { tagName: "DIV", isContentEditable: true }].every(isWriting)).toBe(true);
  expect([{ tagName: "INPUT", type: "checkbox" }, { tagName: "BUTTON" }, null].some(isWriting)).toBe(false);
});
