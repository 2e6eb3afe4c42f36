// Which whole days a brief tells of: the last that are over, and those before and after them.
import { dayOf } from "../../moments";

export type Kind = "daily" | "weekly" | "monthly";
export const KINDS: readonly Kind[] = ["daily", "weekly", "monthly"];
const DAY = 24 * 3600 * 1000;

const time = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const named = (moment: number): string => new Date(moment).toISOString().slice(0, 10);
const later = (day: string, days: number): string => named(time(day) + days * DAY);

// The first day of the day, week (from Monday) or month in which a day lies.
export function firstOf(kind: Kind, day: string): string {
  if (kind === "daily") return day;
  if (kind === "monthly") return `${day.slice(0, 8)}01`;
  return later(day, -((new Date(time(day)).getUTCDay() + 6) % 7));
}

export const before = (kind: Kind, day: string): string => firstOf(kind, later(firstOf(kind, day), -1));

export function after(kind: Kind, day: string): string {
  const first = firstOf(kind, day);
  return firstOf(kind, later(first, kind === "daily" ? 1 : kind === "weekly" ? 7 : 31));
}

// The last one that is over in the city; only that can be told of.
export const lastOver = (kind: Kind, now: number): string => before(kind, dayOf(now));
