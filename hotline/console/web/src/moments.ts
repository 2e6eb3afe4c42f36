// Times as a form's field has them. The field knows no zone: what stands in it is the city's time.
const CITY = "+08:00";

// What `<input type="datetime-local">` holds, as the service reads it; empty is nothing.
export function momentOf(field: string): string | null {
  if (!field) return null;
  const found = new Date(`${field.slice(0, 16)}:00${CITY}`);
  return Number.isNaN(found.getTime()) ? null : found.toISOString();
}

// A moment as such a field shows it.
export function fieldOf(moment: string | number | Date | null | undefined): string {
  if (moment === null || moment === undefined || moment === "") return "";
  const shifted = new Date(new Date(moment).getTime() + 8 * 3600 * 1000);
  return shifted.toISOString().slice(0, 16);
}

// The day in the city, for a field that holds a date.
export const dayOf = (moment: string | number | Date): string => fieldOf(moment).slice(0, 10);
