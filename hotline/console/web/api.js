// Asks the service. A refusal becomes a Refused with the service's own word for it.

import { known, spoken, t } from "./text.js";

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }

  // The sentence shown to a person: ours for the word; the service's own where it says more.
  get sentence() {
    const key = `problem.${this.problem.type}`;
    const own = known(key) ? t(key, {
      seconds: this.problem.retry_after,
      missing: (this.problem.missing || []).map((name) => t(`field.${name}`)).join(t("list.and")),
    }) : this.problem.detail;
    return spoken() === "en" && this.problem.detail ? this.problem.detail : own;
  }
}

const signedOut = new Set();
export const onSignedOut = (listener) => signedOut.add(listener);

// A page nobody touches asks quietly: its questions do not keep the session from ending.
let touched = Date.now();
for (const kind of ["pointerdown", "pointermove", "keydown"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
const quiet = () => (Date.now() - touched > 60000 ? { "X-Hotline-Quiet": "1" } : {});

export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { ...quiet(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused({ type: "unreachable", detail: "The service does not answer." });
  }
  const told = await answer.json().catch(() => ({ type: "broken", detail: answer.statusText }));
  if (answer.ok) return told;
  if (told.type === "not_signed_in") signedOut.forEach((listener) => listener());
  throw new Refused(told);
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);

export function query(path, values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  const text = new URLSearchParams(given).toString();
  return text ? `${path}?${text}` : path;
}
