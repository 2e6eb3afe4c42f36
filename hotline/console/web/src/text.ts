// Words from the service's message catalogue, and times.
import { ref } from "vue";

export type Language = "zh" | "en";
export const language = ref<Language>("zh");
type Words = Record<string, string>;
const shared = ref<Words>({});
const own = ref<Words>({});
const areas = new Set<string>();
const files = import.meta.glob<Words>("./pages/*/{zh,en}.json", { import: "default" });

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
  const general = (await answer.json()) as Words;
  const parts = await Promise.all([...areas].map((area) => wordsIn(area, wanted)));
  shared.value = general;
  own.value = Object.assign({}, ...parts) as Words;
  language.value = wanted;
  keep("language", wanted);
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
}

async function wordsIn(area: string, wanted: Language): Promise<Words> {
  return (await files[`./pages/${area}/${wanted}.json`]?.()) ?? {};
}

// The words of one area of pages, which come with the first of its pages.
export async function wordsOf(area: string): Promise<void> {
  if (areas.has(area)) return;
  areas.add(area);
  const found = await wordsIn(area, language.value);
  own.value = { ...own.value, ...found }; // two areas may come at once
}

const found = (key: string): string | undefined => own.value[key] ?? shared.value[key];
export const known = (key: string): boolean => found(key) !== undefined;

export function t(key: string, facts: Record<string, string | number> = {}): string {
  return (found(key) ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
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

export function day(value: string): string {
  return new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en-GB", {
    timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit",
  }).format(new Date(value));
}

// A share as the reports print it; null is "no case of it yet", which is no zero. Never rounded up to
// a promise that was not kept: 94.99 % is not shown as 95.0 %.
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "—" : `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)} %`;
}

// Seconds as people read them: 1:05, 2:03:04, 3 d 4 h.
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  if (hours >= 48) return t("lasting.days", { days: Math.floor(hours / 24), hours: hours % 24 });
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export const dark = ref(false);

export function applyTheme(chosen?: "dark" | "light"): void {
  const stored = chosen ?? kept("theme");
  dark.value = stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  if (chosen) keep("theme", chosen);
  document.documentElement.classList.toggle("dark", dark.value);
}
