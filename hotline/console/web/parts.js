// Small pieces every view uses: badges, meters, empty and failed states, the dialogue, notices.

import { add, fill, h, icon } from "./dom.js";
import { duration, percent, since, t, title, word } from "./text.js";

export const badge = (text, tone = "plain", hint = null) => h("span", { class: `badge ${tone}`, title: hint }, text);

const STATE_TONES = {
  draft: "amber", open: "blue", consulting: "blue", dispatched: "violet", return_asked: "amber", handling: "violet", extension_asked: "amber",
  termination_asked: "amber", answered: "teal", calling_back: "teal", closed: "plain", archived: "plain",
};
export const stateBadge = (state) => badge(title("state", state), STATE_TONES[state]);

export function urgencyBadge(urgency) {
  if (urgency === "normal" || !urgency) return null;
  return badge(title("urgency", urgency), urgency === "emergency" ? "red solid" : "red");
}

const OUTCOME_TONES = { answered: "green", abandoned: "red", unanswered: "red", failed: "red", abandoned_short: "plain", blocked: "plain", busy: "plain", voicemail: "blue" };

export function callStage(call) {
  if (call.outcome) return "ended";
  if (call.answered_at) return "talking";
  if (call.message_at) return "message";
  if (call.ringing_at) return "ringing";
  return call.queued_at ? "waiting" : "notice";
}

export const directionBadge = (call) => (call.direction === "incoming" ? null : badge(title("direction", call.direction), "violet"));
// Whom a call is with: who called, or whom we called.
export const otherParty = (call) => (call.direction === "incoming" ? call.caller : call.callee) || t(call.direction === "incoming" ? "caller.hidden" : "callee.unknown");
const OURS = { answered: "green", unanswered: "plain", failed: "plain" }; // that nobody answered a call of ours is no lost citizen

export function callBadge(call) {
  if (call.outcome) return badge(title("outcome", call.outcome), (call.direction === "incoming" ? OUTCOME_TONES : OURS)[call.outcome]);
  const stage = callStage(call);
  return badge(t(`stage.${stage}`), { talking: "green live", ringing: "amber live", waiting: "amber live", notice: "blue live", message: "blue live" }[stage]);
}

export function callTimer(call) {
  if (call.outcome) return duration(call.talk_seconds ?? call.wait_seconds);
  return since(call.answered_at || call.message_at || call.queued_at || call.started_at, h("span", { class: "timer" }));
}

export function standingBadge(standing) {
  if (!standing) return null;
  return badge(t(`standing.${standing}`), { running: "plain", overdue: "red solid", on_time: "green", late: "amber" }[standing]);
}

// A rate with its two numbers and the promised 95 % as a mark on the bar.
export function meter(label, ratio, promise, note = null) {
  const none = ratio.value === null;
  const kept = !none && ratio.value >= promise;
  const bar = h("div", { class: "bar" });
  const level = h("i", { class: none ? "none" : kept ? "good" : "bad" });
  level.style.width = none ? "0" : `${Math.max(ratio.value * 100, 1)}%`;
  const mark = h("b", {});
  mark.style.left = `${promise * 100}%`;
  add(bar, [level, mark]);
  const spoken = none ? t("rate.none") : t("rate.spoken", { percent: percent(ratio.value), numerator: ratio.numerator, denominator: ratio.denominator });
  return h("div", { class: `meter ${none ? "none" : kept ? "good" : "bad"}`, role: "group", "aria-label": `${label}: ${spoken}` },
    h("div", { class: "meter-label" }, label),
    h("div", { class: "meter-value" },
      h("strong", {}, percent(ratio.value)),
      h("span", { class: "fraction" }, none ? t("rate.none") : `${ratio.numerator} / ${ratio.denominator}`)),
    bar,
    note ? h("div", { class: "meter-note" }, note) : null);
}

export const loading = (rows = 4) => h("div", { class: "loading", "aria-label": t("loading") }, Array.from({ length: rows }, () => h("i")));

export const empty = (title, hint = null) => h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), hint ? h("p", {}, hint) : null);

export function failed(error, again) {
  return h("div", { class: "empty failed", role: "alert" },
    icon("alert"),
    h("p", { class: "empty-title" }, error.sentence || t("problem.broken")),
    h("button", { class: "button", onclick: again }, t("again")));
}

// Shows `loading`, then what `load` gives, or why not with a button to try again.
export async function settled(place, load, show, { quiet = false } = {}) {
  if (!quiet) fill(place, loading());
  try {
    const found = await load();
    show(found);
    place.dataset.ready = "yes";
    return true;
  } catch (error) {
    if (!error.problem) throw error;
    if (!quiet || !place.dataset.ready) fill(place, failed(error, () => settled(place, load, show)));
    return false;
  }
}

export function dialogue(turns, { onTurn = null, marks = [] } = {}) {
  if (!turns.length) return empty(t("dialogue.none"));
  return h("ol", { class: "dialogue" }, turns.map((turn, place) => {
    const said = marked(turn.text, marks.filter((mark) => mark.turn === place).map((mark) => mark.text));
    const time = h("span", { class: "turn-time" }, duration(turn.start));
    const label = h("span", { class: "turn-who" }, title("side", turn.leg), " ", time);
    const bubble = onTurn
      ? h("button", { class: "bubble", type: "button", title: t("player.from_here"), onclick: () => onTurn(turn) }, said)
      : h("div", { class: "bubble" }, said);
    return h("li", { class: `turn ${turn.leg}`, "data-start": turn.start, "data-end": turn.end }, label, bubble);
  }));
}

// The words that speak for the suggestion, marked where they were said.
export function marked(text, words) {
  const found = [];
  for (const one of [...new Set(words)].sort((a, b) => b.length - a.length)) {
    const at = one ? text.indexOf(one) : -1;
    if (at >= 0 && !found.some(([from, to]) => at < to && at + one.length > from)) found.push([at, at + one.length]);
  }
  found.sort((a, b) => a[0] - b[0]);
  const parts = [];
  let place = 0;
  for (const [from, to] of found) {
    parts.push(text.slice(place, from), h("mark", {}, text.slice(from, to)));
    place = to;
  }
  return [...parts, text.slice(place)];
}

export function toast(text, tone = "good") {
  const node = h("div", { class: `toast ${tone}` }, tone === "good" ? icon("check") : icon("alert"), text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}

export const fact = (label, value) => h("div", { class: "fact" }, h("dt", {}, label), h("dd", {}, value ?? "—"));
