// What every move asks for and what the city can choose from, asked for once.
import { get } from "../api";
import type { components, paths } from "../../build/api";

export type Move = components["schemas"]["Move"];
export type Case = components["schemas"]["CaseDetail"];
export type Field = components["schemas"]["FieldView"];
export type Catalogue = components["schemas"]["Catalogue"];
type Forms = paths["/api/catalogue/moves"]["get"]["responses"]["200"]["content"]["application/json"];

let forms: Promise<Map<string, Field[]>> | null = null;
let catalogue: Promise<Catalogue> | null = null;

// A question that failed is asked again by whoever asks next.
export function formsOf(): Promise<Map<string, Field[]>> {
  forms ??= get<Forms>("/api/catalogue/moves").then((told) => new Map(told.forms.map((one) => [one.move, one.fields])));
  forms.catch(() => (forms = null));
  return forms;
}

export function catalogueOf(): Promise<Catalogue> {
  catalogue ??= get<Catalogue>("/api/catalogue");
  catalogue.catch(() => (catalogue = null));
  return catalogue;
}
