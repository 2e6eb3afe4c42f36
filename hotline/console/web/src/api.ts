// Asks the service. A refusal becomes a Refused with a sentence a person can read.
import { known, language, t } from "./text";

interface Problem {
  type: string;
  detail: string;
  retry_after?: number;
}

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get sentence(): string {
    const key = `problem.${this.problem.type}`;
    if (!known(key) || (language.value === "en" && this.problem.detail)) return this.problem.detail;
    return t(key, { seconds: this.problem.retry_after ?? "" });
  }
}

export const sentenceOf = (error: unknown): string =>
  error instanceof Refused ? error.sentence : String(error);

const listeners = new Set<() => void>();
export const onSignedOut = (listener: () => void): void => void listeners.add(listener);

// A page nobody touches asks quietly: its questions do not keep the session from ending.
let touched = Date.now();
for (const kind of ["pointerdown", "pointermove", "keydown"]) {
  addEventListener(kind, () => (touched = Date.now()), { passive: true });
}

export async function ask<T>(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<T> {
  const headers: Record<string, string> = {};
  if (Date.now() - touched > 60_000) headers["X-Hotline-Quiet"] = "1";
  if (body) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: body ? JSON.stringify(body) : null });
  } catch {
    throw new Refused({ type: "unreachable", detail: "The service does not answer." });
  }
  const told: unknown = await answer.json().catch(() => ({ type: "broken", detail: answer.statusText }));
  if (answer.ok) return told as T;
  const problem = told as Problem;
  if (problem.type === "not_signed_in") listeners.forEach((listener) => listener());
  throw new Refused(problem);
}
