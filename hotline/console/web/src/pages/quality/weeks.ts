// Weeks begin on Monday, in the city.
import { dayOf } from "../../moments";

const DAY = 24 * 3600 * 1000;

// The Monday of the newest week that is over.
export function lastMonday(now: number): string {
  const today = dayOf(now);
  const weekday = (new Date(`${today}T00:00:00Z`).getUTCDay() + 6) % 7; // Monday is 0
  return dayOf(now - (weekday + 7) * DAY);
}
