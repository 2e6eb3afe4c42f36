// A sentence in parts: what was asked for stands out from what is around it.
export interface Part {
  text: string;
  found: boolean;
}

interface Found {
  sentence: string;
  first: number;
  last: number;
}

// The service counts characters; JavaScript counts halves of some of them.
export function partsOf(hit: Found): Part[] {
  const signs = [...hit.sentence];
  const cut = (from: number, to?: number): string => signs.slice(from, to).join("");
  return [
    { text: cut(0, hit.first), found: false },
    { text: cut(hit.first, hit.last), found: true },
    { text: cut(hit.last), found: false },
  ].filter((part) => part.text !== "");
}

// The first moment of a day in the city, as the service reads it; with `days` some days later.
export function startOf(day: string, days = 0): string | null {
  const found = new Date(`${day}T00:00:00+08:00`);
  if (!day || Number.isNaN(found.getTime())) return null;
  return new Date(found.getTime() + days * 86_400_000).toISOString();
}

// The address of the whole sound, from the same second as that of the silent one.
export const wholeAt = (whole: string, silent: string): string => whole + (silent.match(/#t=.*$/)?.[0] ?? "");
