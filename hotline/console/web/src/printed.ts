// What a printed page says of itself: who printed it, when, and to what it was narrowed.
import { onUnmounted, ref, watchEffect } from "vue";
import { known, t, when, word } from "./text";
import type { Query } from "./query";

export const printed = ref("");

const SILENT = ["limit", "before", "after"];
const VALUES: Record<string, string> = { level: "record_level" }; // where the word's group is not the name

// A question in words; what has none is said as it stands.
export function narrowing(query: Query): string {
  return Object.entries(query)
    .filter(([name, value]) => !SILENT.includes(name) && value !== null && value !== undefined && value !== "" && value !== false)
    .map(([name, value]) => {
      const key = `export.by_${name}`;
      const says = known(key) ? t(key) : word("field", name);
      if (value === true) return says;
      return `${says} ${name === "since" || name === "until" ? when(String(value)) : word(VALUES[name] ?? name, String(value))}`;
    })
    .join(t("list.semicolon"));
}

// Of the page that is open: the list's own question stands on its print, too.
export function usePrinted(query: () => Query): void {
  watchEffect(() => (printed.value = narrowing(query())));
  onUnmounted(() => (printed.value = ""));
}
