// What another page's link asks the list of cases to show: `/cases?area=涪城区&level1=…`.
type Query = Record<string, unknown>;
const NAMES = ["state", "urgency", "area", "unit", "channel", "level1"] as const;
type Narrowed = Partial<Record<(typeof NAMES)[number], string>>;

export function narrowedBy(query: Query): Narrowed {
  const given = NAMES.filter((name) => typeof query[name] === "string" && query[name] !== "");
  return Object.fromEntries(given.map((name) => [name, query[name]])) as Narrowed;
}
