// Words and figures as people read them: the message catalogue, times of Shanghai, durations.

const ZONE = "Asia/Shanghai";
let messages = {};
let language = "zh";

export async function speak(wanted) {
  const answer = await fetch(`/web/messages/${wanted}.json`);
  if (!answer.ok) throw new Error(`no messages for ${wanted}`);
  messages = await answer.json();
  language = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
}

export const spoken = () => language;

export function t(key, facts = {}) {
  const text = messages[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => facts[name] ?? "");
}

export const known = (key) => key in messages;

// A word of an enumeration; one this page does not know yet is shown as it came.
export function word(group, value) {
  if (value === null || value === undefined || value === "") return "—";
  const key = `${group}.${value}`;
  return known(key) ? t(key) : String(value);
}

// The same at the head of a label: English begins with a capital letter there.
export function title(group, value) {
  const text = word(group, value);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// `exchange:mianyang-1` and `service` in the reader's words, a seat as it is.
export function actor(name) {
  const [kind, ...rest] = name.split(":");
  return [word("actor", kind), ...rest].join(" ");
}

const formats = new Map();

function format(style) {
  const key = `${language} ${style}`;
  if (!formats.has(key)) {
    const options = {
      clock: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
      short: { hour: "2-digit", minute: "2-digit" },
      day: { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
      full: { year: "numeric", month: "2-digit", day: "2-digit", weekday: "short", hour: "2-digit", minute: "2-digit" },
      stamp: { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    }[style];
    formats.set(key, new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { timeZone: ZONE, hourCycle: "h23", ...options }));
  }
  return formats.get(key);
}

const dayOf = (moment) => moment.toLocaleDateString("sv-SE", { timeZone: ZONE });

export function clock(value) { return value ? format("clock").format(new Date(value)) : "—"; }
export function stamp(value) { return value ? format("stamp").format(new Date(value)) : "—"; }
export function full(value) { return value ? format("full").format(new Date(value)) : "—"; }

// Today only the time, else the day as well.
export function when(value) {
  if (!value) return "—";
  const moment = new Date(value);
  return format(dayOf(moment) === dayOf(new Date()) ? "short" : "day").format(moment);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

// Never rounded up to a promise that was not kept: 94.99 % is not shown as 95.0 %.
export function percent(value) {
  if (value === null || value === undefined) return "—";
  return `${(Math.floor(value * 1000 + 1e-9) / 10).toFixed(1)}%`;
}

// How far away a moment is, in the largest fitting unit.
export function away(value) {
  const seconds = (new Date(value) - Date.now()) / 1000;
  const steps = [[86400, "day"], [3600, "hour"], [60, "minute"]];
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  for (const [size, unit] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(Math.trunc(seconds), "second");
}

// Elements made by `since` count on by themselves.
export function since(value, element) {
  element.dataset.since = value;
  element.textContent = duration((Date.now() - new Date(value)) / 1000);
  return element;
}

setInterval(() => {
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = duration((Date.now() - new Date(element.dataset.since)) / 1000);
  }
}, 1000);
