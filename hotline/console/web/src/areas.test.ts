import { describe, expect, it } from "vitest";
import { GROUPS, homeOf, menuOf, PAGES } from "./areas";
import { withQuery } from "./query";

describe("the pages", () => {
  it("have names and addresses of their own, in groups the menu has", () => {
    for (const field of ["name", "path"] as const) {
      const all = PAGES.map((page) => page[field]);
      expect(new Set(all).size).toBe(all.length);
    }
    for (const page of PAGES) if (page.menu) expect(GROUPS).toContain(page.menu.group);
  });

  it("are shown to the roles they are for, and the first is one of them", () => {
    for (const role of new Set(PAGES.flatMap((page) => page.roles))) {
      const shown = menuOf([role]).flatMap((one) => one.pages);
      expect(shown.every((page) => page.roles.includes(role))).toBe(true);
      expect(shown.map((page) => page.name)).toContain(homeOf([role]));
    }
    expect(homeOf([])).toBeNull();
    expect(menuOf([])).toEqual([]);
  });
});

describe("a question", () => {
  it("leaves out what was not given", () => {
    expect(withQuery("/api/cases", { limit: 50, search: "", before: null, sample: false })).toBe("/api/cases?limit=50&sample=false");
    expect(withQuery("/api/cases")).toBe("/api/cases");
  });
});
