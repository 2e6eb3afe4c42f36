// Calls: the list with its filters, and one call with its sound, its words and its case.

import { add, fill, h, icon, keyed, markRow } from "./dom.js";
import { get, query } from "./api.js";
import { gently, onEntry } from "./feed.js";
import { badge, callBadge, callTimer, dialogue, directionBadge, empty, fact, otherParty, settled, stateBadge, urgencyBadge } from "./parts.js";
import { player } from "./player.js";
import { clock, duration, full, t, title, when, word } from "./text.js";

const OUTCOMES = ["answered", "abandoned", "abandoned_short", "unanswered", "voicemail", "blocked", "busy", "failed"];
const DIRECTIONS = ["incoming", "outgoing", "internal"];
const wanted = { line: "", outcome: "", direction: "", live: false };
// The line it came in on, or for a call from here which way it went.
const way = (call) => (call.direction === "incoming" ? word("line", call.line) : word("direction", call.direction));

export function callRow(call, current = null) {
  const words = Object.values(call.transcripts);
  return h("a", { class: "row call-row", href: `#/calls/${call.id}`, "aria-current": call.id === current },
    h("span", { class: "row-main" }, h("b", {}, otherParty(call)), call.name ? ` ${call.name}` : "",
      h("small", {}, `#${call.id} · ${way(call)}`)),
    h("span", { class: "row-badges" }, directionBadge(call), callBadge(call), call.case ? urgencyBadge(call.case.urgency) : null,
      words.includes("pending") ? badge(t("words.pending_short"), "plain") : null),
    h("span", { class: "row-side" }, callTimer(call), h("small", {}, when(call.started_at), call.operator ? ` · ${call.operator}` : "")));
}

export function callsView(place, id, catalogue) {
  const list = h("div", { class: "rows" });
  const more = h("div", { class: "more" });
  const detail = h("section", { class: "pane detail", "aria-label": t("call.title") });
  let next = null;
  let shown = [];
  let pages = 1;

  const filters = h("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
    select(t("field.line"), "line", catalogue.lines.map((line) => [line, title("line", line)])),
    select(t("field.outcome"), "outcome", OUTCOMES.map((outcome) => [outcome, title("outcome", outcome)])),
    select(t("field.direction"), "direction", DIRECTIONS.map((way) => [way, title("direction", way)])),
    h("label", { class: "check" }, h("input", { type: "checkbox", checked: wanted.live, onchange: (event) => { wanted.live = event.target.checked; load(); } }), t("calls.live_only")));

  function select(label, name, values) {
    return h("label", {}, h("span", { class: "hidden" }, label),
      h("select", { "aria-label": label, onchange: (event) => { wanted[name] = event.target.value; load(); } },
        h("option", { value: "" }, `${label}${t("colon")}${t("all")}`),
        values.map(([value, text]) => h("option", { value, selected: wanted[name] === value }, text))));
  }

  const page = (before) => get(query("/api/calls", { ...wanted, before, limit: 50 }));

  function show() {
    if (!shown.length) {
      list.rows = null;
      const narrowed = wanted.line || wanted.outcome || wanted.direction || wanted.live;
      fill(list, empty(t(narrowed ? "calls.none_match" : "calls.none"), narrowed ? t("calls.none_match_hint") : t("calls.none_hint")));
    } else {
      if (!list.rows) list.replaceChildren();
      keyed(list, shown, (call) => call.id, (call) => callRow(call, id));
    }
    fill(more, next ? h("button", { class: "button", onclick: further }, t("more")) : null);
  }

  async function load({ quiet = false } = {}) {
    if (!quiet) pages = 1;
    return settled(list, async () => {
      let found = await page();
      let calls = found.calls;
      for (let extra = 1; extra < pages && found.next; extra += 1) {
        found = await page(found.next);
        calls = calls.concat(found.calls);
      }
      return { calls, next: found.next };
    }, (found) => { shown = found.calls; next = found.next; show(); }, { quiet });
  }

  async function further() {
    const found = await page(next);
    pages += 1;
    shown = shown.concat(found.calls);
    next = found.next;
    show();
  }

  const split = h("div", { class: "split" }, h("section", { class: "pane list", "aria-label": t("nav.calls") }, filters, list, more), detail);
  fill(place, split);
  let one = null;

  function choose(chosen) {
    if (one) one.close();
    id = chosen;
    split.classList.toggle("chosen", Boolean(id));
    list.querySelectorAll("a.row").forEach((row) => markRow(row, row.hash === `#/calls/${id}`));
    one = id ? callDetail(detail, id) : null;
    if (!id) fill(detail, empty(t("calls.choose"), t("calls.choose_hint")));
    detail.scrollTop = 0;
  }

  choose(id);
  load();
  const refresh = gently(() => load({ quiet: true }));
  const off = onEntry((entry) => { refresh(); if (one) one.heard(entry); });
  return { choose, close: () => { off(); if (one) one.close(); } };
}

function callDetail(place, id) {
  let shownText = null;
  let closing = () => {};
  const load = (quiet) => settled(place, () => get(`/api/calls/${id}`), (call) => {
    const text = JSON.stringify(call);
    if (quiet && text === shownText) return; // nothing new: do not interrupt who listens
    shownText = text;
    closing();
    closing = show(place, call);
  }, { quiet });
  load(false);
  const refresh = gently(() => load(true));
  return { heard: (entry) => { if (!entry || entry.call_id === id) refresh(); }, close: () => closing() };
}

function show(place, call) {
  const turns = h("div", { class: "talk" });
  const sound = player(call.sound, {
    onTime: (seconds, playing) => {
      for (const turn of turns.querySelectorAll(".turn")) {
        const on = playing && seconds >= Number(turn.dataset.start) && seconds <= Number(turn.dataset.end);
        turn.classList.toggle("now", on);
      }
    },
  });
  const canPlay = call.sound.some((side) => side.url);
  add(turns, [call.dialogue.length ? dialogue(call.dialogue, { onTurn: canPlay ? (turn) => sound.from(turn.start) : null }) : silence(call)]);
  fill(place,
    h("a", { class: "back", href: "#/calls" }, icon("back"), t("nav.calls")),
    h("header", { class: "detail-head" },
      h("div", {}, h("h2", {}, otherParty(call), call.name ? h("span", { class: "soft" }, ` ${call.name}`) : null),
        h("p", { class: "soft" }, `#${call.id} · ${way(call)} · ${full(call.started_at)}`)),
      h("div", { class: "detail-badges" }, directionBadge(call), callBadge(call), call.recovered ? badge(t("call.recovered"), "plain", t("call.recovered_hint")) : null)),
    course(call),
    call.case ? h("a", { class: "case-link", href: `#/cases/${call.case.id}` },
      h("span", {}, t("call.case"), " ", h("b", {}, call.case.number)), stateBadge(call.case.state), urgencyBadge(call.case.urgency),
      h("span", { class: "go" }, t("call.open_case"))) : null,
    about(call.about),
    sound.node,
    h("h3", {}, t("dialogue.title"), ...call.words.map((leg) => legNote(leg))),
    turns);
  return () => place.querySelectorAll("audio").forEach((audio) => { audio.pause(); audio.removeAttribute("src"); });
}

// For what a call from here was made: the case, and the earlier call.
function about(what) {
  if (!what || (!what.case && !what.call_id && !what.callout_id)) return null;
  return h("p", { class: "soft" }, t("call.made_for"), " ",
    what.case ? h("a", { href: `#/cases/${what.case.id}` }, what.case.number) : null, what.case ? " " : null,
    what.call_id ? h("a", { href: `#/calls/${what.call_id}` }, t(what.callback ? "call.for_callback" : "call.for_call", { id: what.call_id })) : null,
    what.callout_id ? t("call.for_callout", { id: what.callout_id }) : null);
}

const legNote = (leg) => h("small", { class: "leg-note", title: leg.reason || leg.model || "" },
  `${title("side", leg.leg)}${t("colon")}${t(`words.${leg.state}`)}`, leg.confidence ? ` · ${t("words.confidence", { percent: Math.round(leg.confidence * 100) })}` : "");

// Why there are no words: each cause has its own sentence.
function silence(call) {
  const pending = call.words.find((leg) => leg.state === "pending");
  const failed = call.words.find((leg) => leg.state === "failed");
  if (pending) return empty(t("words.pending"), pending.reason || t("words.pending_hint"));
  if (failed) return empty(t("words.failed_title"), failed.reason);
  if (!call.outcome) return empty(t("words.talking"), t("words.talking_hint"));
  if (!call.answered_at) return empty(t("words.nobody"));
  return empty(t("dialogue.none"));
}

// The stages of a call as one bar: notice, waiting, talk.
function course(call) {
  const at = (name) => (call[name] ? new Date(call[name]) / 1000 : null);
  const start = at("started_at");
  const end = at("ended_at") || Date.now() / 1000;
  const answered = at("answered_at") ?? at("message_at") ?? end;
  const queued = at("queued_at") ?? (call.direction === "incoming" ? end : at("ringing_at") ?? end);
  const parts = [["notice", start, Math.min(queued, answered)], ["wait", Math.min(queued, answered), answered], ["talk", answered, end]];
  const bar = h("div", { class: "course", role: "img", "aria-label": t("call.course", { wait: duration(call.wait_seconds), talk: duration(call.talk_seconds) }) });
  for (const [name, from, to] of parts) {
    if (to - from < 0.05) continue;
    const part = h("i", { class: name, title: `${t(`course.${name}`)} ${duration(to - from)}` });
    part.style.flexGrow = String(Math.max(to - from, (end - start) * 0.03));
    bar.append(part);
  }
  return h("div", {}, bar, h("dl", { class: "facts" },
    fact(t("field.started"), clock(call.started_at)),
    fact(t("field.wait"), duration(call.wait_seconds)),
    fact(t("field.talk"), call.outcome ? duration(call.talk_seconds) : callTimer(call)),
    fact(t("field.operator"), call.operator),
    fact(t("field.hangup_by"), title("side", call.hangup_by)),
    fact(t("field.ended"), clock(call.ended_at))));
}
