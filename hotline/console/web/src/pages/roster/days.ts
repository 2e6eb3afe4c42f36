// A roster by the days of the city: each shift stands on the day it begins.
import { dayOf } from "../../moments";

export interface Begins {
  starts_at: string;
}

export function byDay<Row extends Begins>(shifts: readonly Row[]): { day: string; shifts: Row[] }[] {
  const days = new Map<string, Row[]>();
  for (const shift of [...shifts].sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at))) {
    const day = dayOf(shift.starts_at);
    days.set(day, [...(days.get(day) ?? []), shift]);
  }
  return [...days].map(([day, found]) => ({ day, shifts: found }));
}
