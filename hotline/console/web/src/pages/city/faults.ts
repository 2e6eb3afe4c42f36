// The service's sentences about faults, by the key of the page's own words and their facts; a sentence
// that is not known here is shown as it came.
const KNOWN: [RegExp, string][] = [
  [/^(?<at>\S+): Field required\.$/, "missing"],
  [/^(?<at>\S+): Extra inputs are not permitted\.$/, "extra"],
  [/^(?<at>\S+): the (?<what>area|unit id|unit name|card) (?<name>.+) stands twice\.$/, "twice"],
  [/^(?<at>\S+): there is no (?<what>area|unit|card|category) (?<name>\S+?)(?: for (?<place>.+))?\.$/, "unknown"],
  [/^(?<at>\S+): (?<name>\S+) is no other unit above it\.$/, "superior"],
  [/^(?<at>\S+): (?<name>\S+) leads and cannot help itself\.$/, "itself"],
  [/^(?<at>\S+): another row decides (?<name>.+) in (?<place>.+) too\.$/, "decided"],
  [/^(?<name>.+) has no lead and is not said to be undecided in (?<place>.+)\.$/, "undecided"],
  [/^policy: /, "policy"],
  [/^it cannot be read: it is not UTF-8 text\.$/, "utf8"],
  [/^it cannot be read/, "unread"],
  [/^it is not valid YAML(?:: line \d+, column (?<column>\d+), (?<name>.+))?\.$/, "yaml"],
  [/^it must hold keys and values/, "keys"],
  [/^references \(\*name\)/, "aliases"],
  [/^it must begin with level1,level2,level3\.$/, "levels"],
  [/^a row has three names\.$/, "three"],
  [/^'(?<name>.+)' is no level-1 category\.$/, "level1"],
  [/^(?<name>.+) lies outside of what was brought/, "outside"],
  [/^The file is no zip archive/, "no_zip"],
  [/^The archive holds no city\.yaml/, "no_city"],
  [/^The archive holds more than one city\.yaml/, "two_cities"],
  [/^The archive holds more than (?<name>\d+) files/, "many"],
  [/^The archive names a place outside of itself: (?<name>.+)\.$/, "escape"],
  [/^(?<name>.+) is encrypted/, "locked"],
  [/^Unpacked, the archive has more than (?<name>\d+) MiB/, "big"],
];

// What the service writes where an area is not known, or for whole groups of areas.
const PLACES: Record<string, string> = { "the city where no area is known": "city", city: "city", each: "each", all: "all" };

export const placesIn = (text: string, say: (key: string) => string): string =>
  text.split("、").map((one) => (PLACES[one] ? say(`city_place.${PLACES[one]}`) : one)).join("、");

// A row of the catalogue: its category and areas.
export function rowOf(name: string, say: (key: string) => string): string {
  const [category, areas] = name.split(" × ");
  return areas === undefined ? name : `${category} × ${placesIn(areas, say)}`;
}

export interface Said {
  key: string;
  facts: Record<string, string>;
}

export function saidOf(sentence: string): Said | null {
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(sentence);
    if (!found) continue;
    const groups = Object.entries(found.groups ?? {}).map(([name, value]) => [name, value ?? ""]);
    return { key, facts: Object.fromEntries(groups) as Record<string, string> };
  }
  return null;
}
