// The first page: what happens now, what waits for a person, and how the promises stand.

import { fill, h, keyed } from "./dom.js";
import { get, query } from "./api.js";
import { callRow } from "./calls.js";
import { caseRow } from "./cases.js";
import { gently, onEntry } from "./feed.js";
import { badge, empty, loading, meter, settled } from "./parts.js";
import { since, t, title, when, word } from "./text.js";

const LINES_OF_NEWS = 30;

export function overview(place) {
  const lines = h("section", { class: "lines", "aria-label": t("overview.rates") }, loading(3));
  const live = panel("overview.live", "#/calls");
  const todo = panel("overview.todo", "#/cases");
  const news = panel("overview.news", "#/journal");
  fill(place, h("div", { class: "overview" }, h("h1", { class: "hidden" }, t("nav.overview")), lines, live.node, todo.node, news.node));

  const load = (quiet) => Promise.all([
    settled(lines, () => get("/api/numbers"), (numbers) => fill(lines, numbers.lines.length ? numbers.lines.map((line) => lineCard(line, numbers)) : empty(t("overview.no_lines"), t("overview.no_lines_hint"))), { quiet }),
    settled(live.body, liveAndRecent, (calls) => rows(live, calls, callRow, "overview.live_none"), { quiet }),
    settled(todo.body, waiting, (cases) => rows(todo, cases, caseRow, "overview.todo_none"), { quiet }),
    settled(news.body, () => get(query("/api/journal", { limit: LINES_OF_NEWS })), (found) => rows(news, found.entries, newsRow, "overview.news_none"), { quiet }),
  ]);
  load(false);
  const refresh = gently(() => load(true));
  return { close: onEntry(refresh) };
}

function panel(title, href) {
  const body = h("div", { class: "rows" });
  const count = h("span", { class: "count" });
  const node = h("section", { class: "pane" }, h("header", { class: "pane-head" }, h("h2", {}, t(title), count), h("a", { href }, t("overview.all"))), body);
  return { node, body, count };
}

function rows(pane, items, render, none) {
  pane.count.textContent = items.open ?? "";
  pane.count.hidden = items.open === undefined;
  if (!items.length) {
    pane.body.rows = null;
    fill(pane.body, empty(t(none), t(`${none}_hint`)));
    return;
  }
  if (!pane.body.rows) pane.body.replaceChildren();
  keyed(pane.body, items, (item) => item.id, (item) => render(item));
}

async function liveAndRecent() {
  const [live, recent] = await Promise.all([get("/api/calls?live=true&limit=20"), get("/api/calls?limit=15")]);
  const open = new Set(live.calls.map((call) => call.id));
  return Object.assign([...live.calls, ...recent.calls.filter((call) => !open.has(call.id))], { open: live.calls.length });
}

// What waits for the desk, and what waits for a unit: of that only the overdue is shown here.
const DESKS = ["draft", "open", "consulting", "return_asked", "extension_asked", "termination_asked", "answered", "calling_back"];
const UNITS = ["dispatched", "handling"];
const URGENT = { emergency: 0, urgent: 1, normal: 2 };

async function waiting() {
  const pages = await Promise.all([...DESKS, ...UNITS].map((state) => get(query("/api/cases", { state, limit: 40 }))));
  const found = pages.flatMap((page) => page.cases);
  const overdue = found.filter((one) => one.standing === "overdue");
  const known = new Set(overdue.map((one) => one.id));
  const rest = found.filter((one) => DESKS.includes(one.state) && !known.has(one.id));
  rest.sort((a, b) => URGENT[a.urgency] - URGENT[b.urgency] || b.id - a.id);
  const all = [...rest.filter((one) => one.urgency === "emergency"), ...overdue, ...rest.filter((one) => one.urgency !== "emergency")];
  return Object.assign(all.slice(0, 30), { open: all.length });
}

function lineCard(line, numbers) {
  const handling = t("rate.pending", { count: line.not_yet_due, answered: line.not_yet_due_answered });
  const connect = line.connect_24h_without_short.denominator !== line.connect_24h.denominator
    ? t("rate.without_short", { numerator: line.connect_24h_without_short.numerator, denominator: line.connect_24h_without_short.denominator }) : null;
  const waits = line.oldest_waiting_at ? since(line.oldest_waiting_at, h("span", { class: "timer" })) : null;
  const drafts = line.cases.draft;
  return h("article", { class: "line-card" },
    h("header", {}, h("h2", {}, title("line", line.line)),
      h("div", { class: "now" },
        h("span", { class: line.waiting ? "figure hot" : "figure" }, h("b", {}, line.waiting), t("line.waiting"), waits),
        h("span", { class: "figure" }, h("b", {}, line.active), t("line.active")),
        h("span", { class: "figure" }, h("b", {}, drafts), t("line.drafts")),
        line.probes.map(probeBadge))),
    h("div", { class: "meters" },
      meter(t("rate.in_time", { seconds: line.target_seconds }), line.answered_in_time_24h, numbers.promise),
      meter(t("rate.connect"), line.connect_24h, numbers.promise, connect),
      meter(t("rate.handling"), line.handling_30d, numbers.promise, [handling, line.overdue ? badge(t("rate.overdue", { count: line.overdue }), "red") : null, line.undated ? badge(t("rate.undated", { count: line.undated }), "amber") : null])));
}

function probeBadge(probe) {
  const stage = t(`probe.${probe.stage}`);
  return probe.ok
    ? badge(t("probe.ok", { seconds: probe.seconds.toFixed(1) }), "green", `${probe.system} · ${when(probe.at)}`)
    : badge(t("probe.failed", { stage }), "red solid", `${probe.system} · ${when(probe.at)} · ${probe.reason}`);
}

export function newsRow(entry) {
  const to = entry.case_id ? `#/cases/${entry.case_id}` : entry.call_id ? `#/calls/${entry.call_id}` : "#/journal";
  const body = entry.body;
  const more = [body.direction && body.direction !== "incoming" ? word("direction", body.direction) : null, body.callee || body.caller, body.number, body.level1, body.unit && entry.event === "case.dispatched" ? body.unit : null,
    body.outcome ? word("outcome", body.outcome) : null, body.leg ? word("side", body.leg) : null, body.stage ? t(`probe.${body.stage}`) : null, body.reason].filter(Boolean);
  return h("a", { class: `row news-row ${entry.event === "case.escalated" ? "hot" : ""}`, href: to },
    h("span", { class: `dot ${entry.event.split(".")[0]}` }),
    h("span", { class: "row-main" }, h("b", {}, word("event", entry.event)), h("small", {}, more.join(" · "))),
    h("span", { class: "row-side" }, h("small", {}, when(entry.at))));
}
