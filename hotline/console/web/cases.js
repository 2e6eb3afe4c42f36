// Cases: the list by state, and one case with what speaks for it and the next step of a person.

import { fill, h, icon, keyed, markRow } from "./dom.js";
import { get, post, query } from "./api.js";
import { caseForm } from "./form.js";
import { gently, onEntry } from "./feed.js";
import { dialogue, empty, fact, settled, standingBadge, stateBadge, urgencyBadge } from "./parts.js";
import { actor, away, full, t, title, when, word } from "./text.js";

const STATES = ["draft", "open", "consulting", "dispatched", "return_asked", "handling", "extension_asked", "termination_asked", "answered", "calling_back", "closed", "archived"];
// The way most cases go; the other states are bends of it, and have a tab only where a case is there.
const WAY = ["draft", "open", "dispatched", "handling", "answered", "calling_back", "closed"];
const BEND_OF = { consulting: "open", return_asked: "dispatched", extension_asked: "handling", termination_asked: "handling", archived: "closed" };
const SORTS = ["summary", "reply", "public_reply", "reason", "basis", "ruling", "comment", "feedback", "channel", "told", "unsolved_reason", "not_contacted", "beyond_duty_reason", "withheld_reason", "place", "found"];
const wanted = { state: "", search: "", channel: "" };

export function caseRow(one, current = null) {
  return h("a", { class: "row case-row", href: `#/cases/${one.id}`, "aria-current": one.id === current },
    h("span", { class: "row-main" }, h("b", {}, one.level1 || t("case.no_category")), one.kind ? ` · ${word("kind", one.kind)}` : "",
      h("small", {}, `${one.number} · ${one.area || t("case.no_area")}`)),
    h("span", { class: "row-badges" }, urgencyBadge(one.urgency), one.standing === "overdue" ? standingBadge("overdue") : null, stateBadge(one.state)),
    h("span", { class: "row-side" }, one.due_at && (one.standing === "running" || one.standing === "overdue") ? h("span", { class: "due" }, t("case.due_short", { when: when(one.due_at) })) : "",
      h("small", {}, one.state === "draft" ? when(one.drafted_at) : one.unit || word("line", one.line))));
}

export function casesView(place, id, catalogue) {
  const list = h("div", { class: "rows" });
  const more = h("div", { class: "more" });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": t("field.state") });
  const detail = h("section", { class: "pane detail", "aria-label": t("case.title") });
  let shown = [];
  let next = null;
  let pages = 1;
  let counts = {};

  const search = h("input", { type: "search", id: "search", placeholder: t("cases.search"), "aria-label": t("cases.search"), value: wanted.search,
    oninput: (event) => { const typed = event.target.value.trim(); wanted.search = typed.length > 1 ? typed : ""; searched(); } });
  const channels = h("select", { id: "channel", "aria-label": t("field.came_by"), onchange: (event) => { wanted.channel = event.target.value; load(); } },
    h("option", { value: "" }, t("channel.all")), catalogue.channels.map((one) => h("option", { value: one, selected: one === wanted.channel }, title("channel", one))));
  const searched = gently(() => load(), 250);

  function showTabs() {
    const tab = (value, text, count) => h("button", { type: "button", class: "tab", "aria-pressed": String(wanted.state === value), onclick: () => { wanted.state = value; showTabs(); load(); } },
      text, count === undefined ? null : h("span", { class: "count" }, count));
    fill(tabs, tab("", t("all")), STATES.filter((state) => WAY.includes(state) || counts[state] || wanted.state === state).map((state) => tab(state, title("state", state), counts[state])));
  }

  function show() {
    if (!shown.length) {
      list.rows = null;
      fill(list, empty(t(wanted.search ? "cases.none_found" : wanted.state || wanted.channel ? "cases.none_state" : "cases.none"), wanted.search ? t("cases.none_found_hint") : t("cases.none_hint")));
    } else {
      if (!list.rows) list.replaceChildren();
      keyed(list, shown, (one) => one.id, (one) => caseRow(one, id));
    }
    fill(more, next ? h("button", { class: "button", onclick: further }, t("more")) : null);
  }

  const page = (before) => get(query("/api/cases", { ...wanted, before, limit: 50 }));

  async function load({ quiet = false } = {}) {
    if (!quiet) pages = 1;
    return settled(list, async () => {
      let found = await page();
      let cases = found.cases;
      for (let extra = 1; extra < pages && found.next; extra += 1) {
        found = await page(found.next);
        cases = cases.concat(found.cases);
      }
      const numbers = await get("/api/numbers");
      return { cases, next: found.next, numbers };
    }, (found) => {
      shown = found.cases;
      next = found.next;
      counts = Object.fromEntries(STATES.map((state) => [state, found.numbers.lines.reduce((sum, line) => sum + line.cases[state], 0)]));
      showTabs();
      show();
    }, { quiet });
  }

  async function further() {
    const found = await page(next);
    pages += 1;
    shown = shown.concat(found.cases);
    next = found.next;
    show();
  }

  showTabs();
  const split = h("div", { class: "split wide-detail" }, h("section", { class: "pane list", "aria-label": t("nav.cases") }, search, channels, tabs, list, more), detail);
  fill(place, split);
  let one = null;

  function choose(chosen) {
    id = chosen;
    split.classList.toggle("chosen", Boolean(id));
    list.querySelectorAll("a.row").forEach((row) => markRow(row, row.hash === `#/cases/${id}`));
    one = id ? caseDetail(detail, id, catalogue) : null;
    if (!id) fill(detail, empty(t("cases.choose"), t("cases.choose_hint")));
    detail.scrollTop = 0;
  }

  choose(id);
  load();
  const refresh = gently(() => load({ quiet: true }));
  return { choose, close: onEntry((entry) => { refresh(); if (one) one.heard(entry); }) };
}

function caseDetail(place, id, catalogue) {
  let shown = null;
  let form = null;
  let moves = 0;

  const load = (quiet = false) => {
    const asked = moves;
    return settled(place, async () => {
      const one = await get(`/api/cases/${id}`);
      const call = one.call_id ? await get(`/api/calls/${one.call_id}`) : null;
      return { one, call };
    }, (found) => {
      // What was asked for before a move of ours came too late to be shown.
      if (asked !== moves || (quiet && JSON.stringify(found) === JSON.stringify(shown))) return;
      if (quiet && form?.isBusy()) {
        if (shown.one.state !== found.one.state) form.warn(found.one.state, () => { shown = null; load(); });
        return;
      }
      shown = found;
      show(found);
    }, { quiet });
  };

  async function move(step, facts) {
    const one = await post(`/api/cases/${id}/${step}`, { ...facts, expected: shown.one.state });
    moves += 1;
    shown = { ...shown, one };
    show(shown);
    return one;
  }

  function show({ one, call }) {
    form = caseForm(one, catalogue, move);
    const marks = one.suggestion ? one.suggestion.reasons.filter((reason) => reason.turn !== null) : [];
    fill(place,
      h("a", { class: "back", href: "#/cases" }, icon("back"), t("nav.cases")),
      h("header", { class: "detail-head" },
        h("div", {}, h("h2", {}, one.level1 || t("case.no_category"), h("span", { class: "soft" }, one.kind ? ` · ${word("kind", one.kind)}` : "")),
          h("p", { class: "soft" }, `${one.number} · ${word("line", one.line)} · ${word("channel", one.channel)} · ${t("case.owner", { owner: one.owner })}`)),
        h("div", { class: "detail-badges" }, urgencyBadge(one.urgency), standingBadge(one.standing), stateBadge(one.state))),
      steps(one),
      limit(one),
      one.level ? h("p", { class: "limit warn" }, icon("alert"), t(`caselevel.${one.level}`)) : null,
      h("div", { class: "case-body" },
        h("div", { class: "case-work" }, form.node, one.suggestion && one.state !== "draft" ? advised(one) : null,
          asked(one.units),
          h("h3", {}, t("case.history")), history(one.history, one.texts)),
        h("div", { class: "case-words" },
          h("h3", {}, t("dialogue.title"), call ? h("a", { class: "small-link", href: `#/calls/${call.id}` }, t("case.to_call", { id: call.id })) : null),
          call ? dialogue(call.dialogue, { marks }) : empty(t("case.no_call")))));
  }

  load();
  const refresh = gently(() => load(true));
  return { heard: (entry) => { if (!entry || entry.case_id === id || (shown && entry.call_id && entry.call_id === shown.one.call_id)) refresh(); } };
}

function steps(one) {
  const called = one.outcome === "handled" ? one.closed_at : null;
  const at = { draft: one.drafted_at, open: one.opened_at, dispatched: one.dispatched_at, handling: one.signed_at, answered: one.answered_at, calling_back: called, closed: one.closed_at };
  const present = BEND_OF[one.state] || one.state;
  const now = WAY.indexOf(present);
  return h("ol", { class: "steps" }, WAY.map((state, place) => {
    const passed = place < now && at[state];
    const skipped = place < now && !at[state];
    const shown = place === now ? one.state : state;
    return h("li", { class: place === now ? "now" : passed ? "done" : skipped ? "skipped" : "", "aria-current": place === now ? "step" : null },
      h("i", {}, passed ? icon("check") : ""), h("span", {}, title("state", shown)), h("small", {}, at[state] ? when(at[state]) : ""));
  }));
}

function limit(one) {
  const found = one.limit || one.limit_if_opened_now;
  if (!found) return one.state === "draft" ? null : h("p", { class: "limit warn", title: one.undated }, icon("alert"), t("case.undated"));
  const amount = t(`limit.${found.unit}`, { amount: found.amount });
  const text = one.limit ? t("case.due", { when: full(found.due_at), away: one.standing === "running" || one.standing === "overdue" ? `（${away(found.due_at)}）` : "" }) : t("case.due_if_opened", { when: full(found.due_at) });
  return h("p", { class: `limit ${one.standing === "overdue" ? "bad" : ""}` }, h("b", {}, text), h("span", { class: "soft", title: found.basis }, `${amount} · ${found.basis}`));
}

// Every unit that was asked beside the lead, with its word or its silence.
function asked(units) {
  if (!units.length) return null;
  const said = (unit) => unit.answered_at ? t("unit.answered", { when: when(unit.answered_at) })
    : unit.ended_at ? t("unit.stayed_silent") : t("unit.silent_since", { when: when(unit.asked_at) });
  return [h("h3", {}, t("case.units")), h("ul", { class: "units" }, units.map((unit) => h("li", { class: unit.answered_at ? "" : "warn" },
    h("b", {}, unit.unit), ` · ${word("unitpart", unit.part)} · `, h("small", {}, said(unit)))))];
}

// After a person decided, the advice is only history: there, but folded.
function advised(one) {
  const found = one.suggestion;
  return h("details", { class: "reasons" }, h("summary", {}, t("suggestion.was")),
    h("dl", { class: "facts" }, fact(t("field.level1"), found.level1 || t("suggestion.unsure")), fact(t("field.kind"), title("kind", found.kind)),
      fact(t("field.urgency"), title("urgency", found.urgency)), fact(t("field.area"), found.area), fact(t("field.unit"), found.unit),
      fact(t("suggestion.confidence"), `${Math.round(found.confidence * 100)}%`)));
}

// The journal masks numbers in what people wrote; a case's own page shows it word for word.
export function history(entries, texts = []) {
  const whole = new Map(texts.map((text) => [`${text.at} ${text.sort}`, text.text]));
  const said = (entry, sort) => whole.get(`${entry.at} ${sort}`) || entry.body[sort];
  return h("ol", { class: "history" }, [...entries].reverse().map((entry) => h("li", {},
    h("time", { datetime: entry.at }, when(entry.at)),
    h("span", {}, h("b", {}, word("event", entry.event)), " ", h("small", {}, actor(entry.actor)),
      entry.body.unit && entry.event === "case.dispatched" ? h("p", {}, entry.body.unit) : null,
      SORTS.filter((sort) => entry.body[sort]).map((sort) => h("p", {}, h("small", {}, t(`field.${sort}`)), " ", said(entry, sort)))))));
}
