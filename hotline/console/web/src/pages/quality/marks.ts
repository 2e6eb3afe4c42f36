// A call scored by hand: one mark for every item of the form, as its fields hold them.
import type { components } from "../../../build/api";

type Shapes = components["schemas"];
export type Item = Shapes["FormItemView"];
export type Mark = Shapes["MarkView"];
export type Given = Shapes["MarkGiven"];
export type Verdict = Given["verdict"];

export interface MarkForm {
  verdict: Verdict;
  lost: number;
  start: string; // seconds as they stand in the field; empty is nothing
  end: string;
  note: string;
}
export type MarkForms = Record<string, MarkForm>;

const field = (seconds: number | null): string => (seconds === null ? "" : String(seconds));

// What a form begins with: everything kept, but for what its line does not ask, or what `marks` say.
export function begun(items: readonly Item[], line: string, marks: readonly Mark[] = []): MarkForms {
  const said = new Map(marks.map((mark) => [mark.item, mark]));
  return Object.fromEntries(items.map((item) => {
    const mark = said.get(item.key);
    const asked = !item.lines.length || item.lines.includes(line);
    return [item.key, {
      verdict: mark?.verdict ?? (asked ? "kept" : "not_asked"), lost: mark?.lost ?? 0,
      start: field(mark?.start ?? null), end: field(mark?.end ?? null), note: mark?.note ?? "",
    }];
  }));
}

const seconds = (text: string): number | null => (String(text).trim() === "" ? null : Number(text));

// What is wrong with one mark, as a word of the catalogue; empty: nothing.
export function wrongWith(mark: MarkForm, item: Item): string {
  if (mark.verdict !== "lost") return "";
  if (!(mark.lost >= 1 && mark.lost <= item.most)) return "quality.wrong_points";
  const [start, end] = [seconds(mark.start), seconds(mark.end)];
  if ((start === null) !== (end === null)) return "quality.wrong_moment";
  return start !== null && end !== null && !(start <= end) ? "quality.wrong_moment" : "";
}

export const wrongItems = (items: readonly Item[], forms: MarkForms): string[] =>
  items.filter((item) => { const mark = forms[item.key]; return !mark || wrongWith(mark, item) !== ""; }).map((item) => item.key);

// As the service takes them; where nothing was lost, no points and no moment are sent.
export function given(items: readonly Item[], forms: MarkForms): Given[] {
  return items.flatMap((item) => {
    const mark = forms[item.key];
    if (!mark) return [];
    const lost = mark.verdict === "lost";
    return [{
      item: item.key, verdict: mark.verdict, lost: lost ? Number(mark.lost) : 0,
      start: lost ? seconds(mark.start) : null, end: lost ? seconds(mark.end) : null, note: mark.note.trim() || null,
    }];
  });
}
