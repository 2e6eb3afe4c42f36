// The journal: everything that happened, newest first.

import { fill, h, keyed } from "./dom.js";
import { get, query } from "./api.js";
import { gently, onEntry } from "./feed.js";
import { empty, settled } from "./parts.js";
import { actor, stamp, t, word } from "./text.js";

export function journalView(place) {
  const list = h("div", { class: "rows journal" });
  const more = h("div", { class: "more" });
  let shown = [];
  let next = null;
  fill(place, h("section", { class: "pane single" }, h("header", { class: "pane-head" }, h("h1", {}, t("nav.journal")), h("p", { class: "soft" }, t("journal.hint"))), list, more));

  function show() {
    if (!shown.length) {
      list.rows = null;
      fill(list, empty(t("overview.news_none"), t("overview.news_none_hint")));
      return;
    }
    if (!list.rows) list.replaceChildren();
    keyed(list, shown, (entry) => entry.id, row);
    fill(more, next ? h("button", { class: "button", onclick: further }, t("more")) : null);
  }

  const first = (quiet) => settled(list, () => get(query("/api/journal", { limit: 100 })), (found) => {
    const newest = new Set(found.entries.map((entry) => entry.id));
    const joined = shown.length && shown.some((entry) => newest.has(entry.id));
    shown = joined ? [...found.entries, ...shown.filter((entry) => !newest.has(entry.id))] : found.entries;
    if (!joined) next = found.next;
    show();
  }, { quiet });

  async function further() {
    const found = await get(query("/api/journal", { limit: 100, before: next }));
    shown = shown.concat(found.entries);
    next = found.next;
    show();
  }

  first(false);
  return { close: onEntry(gently(() => first(true))) };
}

const SHOWN = ["number", "direction", "caller", "callee", "operator", "outcome", "leg", "level1", "kind", "urgency", "area", "unit", "seconds", "words", "person", "days", "result", "explanation",
  "truth", "beyond_duty", "publish", "solved", "satisfied", "reason", "basis", "reply", "public_reply", "ruling", "comment", "feedback", "channel", "told", "unsolved_reason", "not_contacted", "beyond_duty_reason", "withheld_reason"];
const WORDED = { direction: "direction", outcome: "outcome", leg: "side", kind: "kind", urgency: "urgency", result: "result", explanation: "explanation", solved: "solved", satisfied: "satisfied", truth: "truth", beyond_duty: "beyond_duty", publish: "publish" };

function row(entry) {
  const facts = SHOWN.filter((name) => entry.body[name] !== null && entry.body[name] !== undefined && entry.body[name] !== "")
    .map((name) => h("span", { class: "journal-fact" }, h("small", {}, t(`field.${name}`)), " ", WORDED[name] ? word(WORDED[name], entry.body[name]) : entry.body[name]));
  return h("div", { class: "row journal-row" },
    h("span", { class: "journal-id" }, entry.id),
    h("time", { datetime: entry.at }, stamp(entry.at)),
    h("b", {}, word("event", entry.event)),
    h("span", { class: "journal-actor", title: entry.actor }, actor(entry.actor)),
    h("span", { class: "journal-links" },
      entry.call_id ? h("a", { href: `#/calls/${entry.call_id}` }, t("journal.call", { id: entry.call_id })) : null,
      entry.case_id ? h("a", { href: `#/cases/${entry.case_id}` }, t("journal.case")) : null),
    h("span", { class: "journal-facts" }, facts));
}
