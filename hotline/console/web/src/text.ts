// Words from the service's message catalogue (the same files the older page reads) and times.
import { ref } from "vue";

export type Language = "zh" | "en";
export const language = ref<Language>("zh");
const messages = ref<Record<string, string>>({});

const kept = (name: string): string | null => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a private window keeps nothing
  }
};
const keep = (name: string, value: string): void => {
  try {
    localStorage.setItem(name, value);
  } catch {
    /* a private window keeps nothing */
  }
};

export function preferredLanguage(): Language {
  const wanted = new URLSearchParams(location.search).get("lang") ?? kept("language");
  return wanted === "en" ? "en" : "zh";
}

export async function speak(wanted: Language): Promise<void> {
  const answer = await fetch(`/web/messages/${wanted}.json`);
  messages.value = (await answer.json()) as Record<string, string>;
  language.value = wanted;
  keep("language", wanted);
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
}

export const known = (key: string): boolean => key in messages.value;

export function t(key: string, facts: Record<string, string | number> = {}): string {
  return (messages.value[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
}

// A word of an enumeration; one this page does not know yet is shown as it came.
export function word(group: string, value: string | null | undefined): string {
  if (!value) return "—";
  const key = `${group}.${value}`;
  return known(key) ? t(key) : value;
}

export function when(value: string): string {
  return new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en-GB", {
    timeZone: "Asia/Shanghai", hourCycle: "h23", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).format(new Date(value));
}

export const dark = ref(false);

export function applyTheme(chosen?: "dark" | "light"): void {
  const stored = chosen ?? kept("theme");
  dark.value = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  if (chosen) keep("theme", chosen);
  document.documentElement.classList.toggle("dark", dark.value);
}
