// What stands in a move's form: where it begins, what is shown, what is missing, what is sent.
import { momentOf } from "../moments";
import type { Field } from "./forms";

export type Value = string | boolean | number | string[] | number[] | null;
export type Values = Record<string, Value>;

// The case as far as a form begins with it.
export interface Known {
  [name: string]: unknown;
  asked_days?: number | null;
}

const LISTS = new Set(["units", "evidence"]);
const FROM_CASE = new Set(["kind", "urgency", "level1", "area", "unit", "summary"]);

const empty = (field: Field): Value => (LISTS.has(field.sort) ? [] : null);

function known(field: Field, one: Known): Value {
  if (field.name === "days") return one.asked_days ?? null;
  return FROM_CASE.has(field.name) ? ((one[field.name] as Value | undefined) ?? null) : empty(field);
}

export function beginning(fields: readonly Field[], one: Known): Values {
  return Object.fromEntries(fields.map((field) => [field.name, known(field, one)]));
}

export const given = (value: Value | undefined): boolean =>
  Array.isArray(value) ? value.length > 0 : typeof value === "string" ? value.trim() !== "" : value !== null && value !== undefined;

export const asksFor = (field: Field, values: Values): boolean => !field.when || values[field.when.field] === field.when.value;

export const shown = (fields: readonly Field[], values: Values): Field[] => fields.filter((field) => asksFor(field, values));

// Whether a field that is shown has to be filled, as things stand in the form.
export const needed = (field: Field, values: Values): boolean =>
  field.must || field.when !== null || (field.unless !== null && !given(values[field.unless]));

export const missing = (fields: readonly Field[], values: Values): string[] =>
  shown(fields, values).filter((field) => needed(field, values) && !given(values[field.name])).map((field) => field.name);

function written(field: Field, value: Value): Value {
  if (field.sort === "time") return momentOf(String(value));
  return typeof value === "string" ? value.trim() : value;
}

export function body(fields: readonly Field[], values: Values): Values {
  const told = shown(fields, values).filter((field) => given(values[field.name]));
  return Object.fromEntries(told.map((field) => [field.name, written(field, values[field.name] ?? null)]));
}

// The step a person takes next in each state; the other possible ones stand beside it.
const NEXT: Record<string, string> = {
  draft: "open", open: "dispatch", consulting: "conclude", dispatched: "sign", return_asked: "refuse_return", handling: "answer",
  extension_asked: "grant_extension", termination_asked: "approve_termination", answered: "approve", calling_back: "close",
};

export function inOrder(moves: readonly string[], state: string): string[] {
  const next = NEXT[state];
  return [...moves].sort((a, b) => Number(b === next) - Number(a === next));
}
// What somebody is led to without asking: the next step of the state, if it is his.
export const nextOf = (moves: readonly string[], state: string): string | null => {
  const next = NEXT[state];
  if (next && moves.includes(next)) return next;
  return moves.includes("accept") ? "accept" : moves.includes("comment") ? "comment" : null;
};
