// Asks the service. A refusal becomes a Refused with a sentence a person can read.
import { withQuery, type Query } from "./query";
import { known, language, t } from "./text";

export interface Problem {
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

export type Method = "GET" | "POST" | "PUT" | "DELETE";

// `key` makes a deed done once, however often it is sent: the service finds it again by it.
export async function ask<T>(method: Method, path: string, body?: object, key?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (key) headers["Idempotency-Key"] = key;
  if (Date.now() - touched > 60_000) headers["X-Hotline-Quiet"] = "1";
  if (body) headers["Content-Type"] = "application/json";
  return told<T>(() => fetch(path, { method, headers, body: body ? JSON.stringify(body) : null }));
}

async function told<T>(send: () => Promise<Response>): Promise<T> {
  const answer = await reached(send);
  const said: unknown = await answer.json().catch(() => ({ type: "broken", detail: answer.statusText }));
  if (answer.ok) return said as T;
  throw refusal(said as Problem);
}

async function reached(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error; // the person's own wish
    throw new Refused({ type: "unreachable", detail: "The service does not answer." });
  }
}

function refusal(problem: Problem): Refused {
  if (problem.type === "not_signed_in") listeners.forEach((listener) => listener());
  return new Refused(problem);
}

export type Answer = Pick<Response, "headers" | "body">;

// A file as it comes; refused like everything else.
export async function opened(path: string, signal: AbortSignal): Promise<Answer> {
  const answer = await reached(() => fetch(path, { signal }));
  if (answer.ok) return answer;
  throw refusal((await answer.json().catch(() => ({ type: "broken", detail: answer.statusText }))) as Problem);
}

export const get = <T>(path: string, query: Query = {}): Promise<T> => ask<T>("GET", withQuery(path, query));

// Sends one file as the body; its name and what it is travel in the query.
export async function upload<T>(path: string, file: File, query: Query, key: string): Promise<T> {
  const headers = { "Content-Type": file.type || "application/octet-stream", "Idempotency-Key": key };
  return told<T>(() => fetch(withQuery(path, { ...query, name: file.name }), { method: "POST", headers, body: file }));
}

// Sends a body that takes a while, and tells how much of it is there, from 0 to 1.
export async function send<T>(path: string, body: Blob, type: string, progress: (share: number) => void): Promise<T> {
  return told<T>(
    () =>
      new Promise((done, failed) => {
        const request = new XMLHttpRequest();
        request.open("POST", path);
        request.setRequestHeader("Content-Type", type);
        request.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
        request.upload.onload = () => progress(1);
        request.onload = () => done(new Response(request.responseText, { status: request.status, statusText: request.statusText }));
        request.onerror = request.onabort = request.ontimeout = failed;
        request.send(body);
      }),
  );
}
