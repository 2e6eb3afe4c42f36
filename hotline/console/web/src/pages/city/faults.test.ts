import { describe, expect, it } from "vitest";
import words from "./zh.json";
import { placesIn, rowOf, saidOf } from "./faults";

const SENTENCES: [string, string, Record<string, string>][] = [
  ["units.5: the unit id gas stands twice.", "twice", { at: "units.5", what: "unit id", name: "gas" }],
  ["cards.0.unit: there is no unit nobody.", "unknown", { at: "cards.0.unit", what: "unit", name: "nobody", place: "" }],
  ["rows.3.lead: there is no unit water for 涪城区.", "unknown", { at: "rows.3.lead", what: "unit", name: "water", place: "涪城区" }],
  ["units.0.phone: Field required.", "missing", { at: "units.0.phone" }],
  ["城乡建设 has no lead and is not said to be undecided in 涪城区、city.", "undecided", { name: "城乡建设", place: "涪城区、city" }],
  ["it is not valid YAML: line 3, column 7, key 'a' stands twice.", "yaml", { column: "7", name: "key 'a' stands twice" }],
  ["it cannot be read: No such file or directory.", "unread", {}],
  ["../../etc/passwd lies outside of what was brought and is not read.", "outside", { name: "../../etc/passwd" }],
];

describe("what the service says is wrong", () => {
  it.each(SENTENCES)("%s", (sentence, key, facts) => {
    expect(saidOf(sentence)).toEqual({ key, facts });
    expect(words).toHaveProperty([`city_fault.${key}`]);
  });
  it("is shown as it came where it is new", () => {
    expect(saidOf("Something nobody foresaw.")).toBeNull();
  });
});

describe("groups of areas", () => {
  it("are told in words, names stay", () => {
    const say = (key: string): string => `<${key}>`;
    expect(rowOf("城乡建设/自来水 × each、高新区", say)).toBe("城乡建设/自来水 × <city_place.each>、高新区");
    expect(placesIn("the city where no area is known", say)).toBe("<city_place.city>");
  });
});
