// The forecast as the pages draw it: hours of a day, days of a table.
import type { components } from "../../../build/api";

export type Hour = components["schemas"]["HourView"];

const ZONE = "Asia/Shanghai";

// The day and the hour of a moment where the hotline is.
export function hourOf(moment: number): { day: string; hour: number } {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE, dateStyle: "short", timeStyle: "short" }).format(moment);
  return { day: parts.slice(0, 10), hour: Number(parts.slice(11, 13)) };
}

// The hours from `moment` on, at most so many.
export function coming(hours: readonly Hour[], moment: number, most: number): Hour[] {
  const now = hourOf(moment);
  return hours.filter((one) => one.day > now.day || (one.day === now.day && one.hour >= now.hour)).slice(0, most);
}

export const daysOf = (hours: readonly Hour[]): string[] => [...new Set(hours.map((one) => one.day))];
