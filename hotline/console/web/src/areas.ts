// The pages of each area, as its area.json tells them. A page's roles may be no more than those of
// every address it reads; a test holds both against each other, and the service checks every request.
export interface AreaPage {
  name: string;
  path: string;
  view: string;
  roles: string[];
  reads: string[];
  title: string;
  menu?: { group: string; order: number; icon: string };
}

interface Area {
  pages: AreaPage[];
  words?: string[]; // other areas whose parts it shows, with their words
}

const areas = import.meta.glob<Area>("./pages/*/area.json", { eager: true, import: "default" });

const areaOf = (file: string): string => file.split("/")[2] ?? "";

export const PAGES = Object.entries(areas).flatMap(([file, area]) =>
  area.pages.map((page) => ({ ...page, area: areaOf(file), words: [areaOf(file), ...(area.words ?? [])] })),
);

// The groups of the menu, in their order.
export const GROUPS = ["work", "watch", "knowledge", "duty", "admin"];

// What somebody sees first: that of the first of these roles the person holds.
const FIRST: [string, string][] = [
  ["operator", "seat"],
  ["duty_officer", "duty"],
  ["supervisor", "wall"],
  ["leader", "brief"],
  ["dispatcher", "dispatch"],
  ["auditor", "audit"],
  ["call_back", "callback"],
  ["unit", "terminal"],
  ["administrator", "users"],
];

const held = (page: AreaPage, roles: readonly string[]): boolean => page.roles.some((role) => roles.includes(role));

export const mayOpen = (name: string, roles: readonly string[]): boolean =>
  PAGES.some((page) => page.name === name && held(page, roles));

export function menuOf(roles: readonly string[]): { group: string; pages: AreaPage[] }[] {
  const shown = PAGES.filter((page) => page.menu && held(page, roles));
  return GROUPS.map((group) => ({
    group,
    pages: shown
      .filter((page) => page.menu?.group === group)
      .sort((a, b) => (a.menu?.order ?? 0) - (b.menu?.order ?? 0)),
  })).filter((one) => one.pages.length > 0);
}

export function homeOf(roles: readonly string[]): string | null {
  const wished = FIRST.filter(([role]) => roles.includes(role)).map(([, name]) => name);
  const found = wished.find((name) => mayOpen(name, roles));
  return found ?? menuOf(roles)[0]?.pages[0]?.name ?? null;
}
