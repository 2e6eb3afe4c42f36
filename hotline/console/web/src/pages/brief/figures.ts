// The cells of a report as the page writes them, and the change against the period before.
import type { components } from "../../../build/api";
import { language, percent, t } from "../../text";

export type Bulletin = components["schemas"]["BulletinView"];
export type Table = components["schemas"]["TableView"];
export type Cell = components["schemas"]["CellView"];
export type Both = components["schemas"]["BothLanguages"];

export const said = (words: Both): string => words[language.value];
export const tableOf = (report: Bulletin, key: string): Table | null => report.tables.find((one) => one.key === key) ?? null;
export const numberOf = (cell: Cell | undefined): number | null => (typeof cell?.value === "number" ? cell.value : null);

const signed = (value: number, digits: number): string => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value).toFixed(digits)}`;

export function written(cell: Cell | undefined): string {
  if (!cell) return "";
  if (cell.text) return said(cell.text);
  if (typeof cell.value !== "number") return cell.value ?? "—";
  if (cell.form === "share") return percent(cell.value);
  if (cell.form === "change") return signed(cell.value, 0);
  if (cell.form === "seconds") return t("brief.seconds", { count: cell.value.toFixed(1) });
  if (cell.form === "hours") return t("brief.hours", { count: cell.value.toFixed(1) });
  if (cell.form === "score") return cell.value.toFixed(2);
  return cell.value.toLocaleString(language.value === "zh" ? "zh-CN" : "en-GB");
}

// A rate's change in percentage points, another figure's in its own unit; null where one is missing.
export function change(now: Cell | undefined, before: Cell | undefined): string | null {
  const [one, other] = [numberOf(now), numberOf(before)];
  if (!now || one === null || other === null) return null;
  const by = one - other;
  if (now.form === "share") return t("brief.points", { count: signed(by * 100, 1) });
  if (now.form === "seconds") return t("brief.seconds", { count: signed(by, 1) });
  if (now.form === "hours") return t("brief.hours", { count: signed(by, 1) });
  return signed(by, 0);
}

export interface Rate {
  name: string;
  value: string;
  numerator: string;
  denominator: string;
  promise: string;
  before: string;
  change: string | null;
  left: string;
  low: boolean;
  kept: boolean; // a promise that was kept
}

// The rows of the table of indicators, whose columns are those of the report.
export function ratesOf(report: Bulletin): Rate[] {
  return (tableOf(report, "indicators")?.rows ?? []).map(([name, now, top, under, promise, before, left]) => ({
    name: written(name),
    value: written(now),
    numerator: written(top),
    denominator: written(under),
    promise: written(promise),
    before: written(before),
    change: change(now, before),
    left: written(left),
    low: now?.low ?? false,
    kept: numberOf(now) !== null && numberOf(promise) !== null && !now?.low,
  }));
}

export interface Spot {
  name: string;
  cases: number;
  before: number;
  change: string;
}

// Topics or areas, each with its cases now and before.
export function spotsOf(report: Bulletin, key: string): Spot[] {
  return (tableOf(report, key)?.rows ?? []).map(([name, now, before, by]) => ({
    name: String(name?.value ?? ""),
    cases: numberOf(now) ?? 0,
    before: numberOf(before) ?? 0,
    change: written(by),
  }));
}
