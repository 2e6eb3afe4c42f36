// A notice card in a form, and back; who may write which.
import type { components } from "../../../build/api";

export type Card = components["schemas"]["CardDetail"];
export type Summary = components["schemas"]["CardSummary"];
export type Text = components["schemas"]["NewCard"]["text"];
export const BLOCKS = ["materials", "procedure", "limit", "address", "transport", "hours"] as const;

export interface Form {
  key: string;
  title: string;
  unit: string; // by name: what the directory's list offers
  category: string;
  review: string;
  materials: string; // a line each
  procedure: string;
  limit: string;
  address: string;
  transport: string;
  hours: string;
  basis: string;
  keywords: string;
  sample: boolean;
  reason: string;
}

export function formOf(card: Card | null, ownUnit = ""): Form {
  const lines = (values: readonly string[] | undefined): string => (values ?? []).join("\n");
  return {
    key: card?.key ?? "",
    title: card?.title ?? "",
    unit: card?.unit_name ?? ownUnit,
    category: card?.category ?? "",
    review: card?.review ?? "",
    materials: lines(card?.materials),
    procedure: lines(card?.procedure),
    limit: card?.limit ?? "",
    address: card?.address ?? "",
    transport: card?.transport ?? "",
    hours: card?.hours ?? "",
    basis: card?.basis ?? "",
    keywords: (card?.keywords ?? []).join("、"),
    sample: card?.sample ?? false,
    reason: "",
  };
}

const linesIn = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter(Boolean);

export function textOf(form: Form, unitId: string): Text {
  return {
    title: form.title.trim(),
    unit: unitId,
    category: form.category,
    keywords: form.keywords.split(/[、,，\s]+/).filter(Boolean),
    materials: linesIn(form.materials),
    procedure: linesIn(form.procedure),
    limit: form.limit.trim(),
    address: form.address.trim(),
    transport: form.transport.trim(),
    hours: form.hours.trim(),
    basis: form.basis.trim(),
    review: form.review,
    sample: form.sample,
  };
}

export function isWhole(form: Form): boolean {
  const said = [form.title, form.unit, form.category, form.review, form.materials, form.procedure, form.limit, form.address, form.transport, form.hours];
  return said.every((text) => text.trim() !== "");
}

interface Who {
  roles: readonly string[];
  unit: string | null;
}

// Whoever writes cards at the hotline writes all of them; a unit's handlers those of their unit.
export function mayWrite(who: Who, unitName: string | null): boolean {
  if (who.roles.some((role) => role === "dispatcher" || role === "supervisor")) return true;
  return who.roles.includes("unit") && (unitName === null || unitName === who.unit);
}
