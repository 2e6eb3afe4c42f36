// What a person can do with a case now: confirm, dispatch, record the answer, close.

import { add, fill, h, icon } from "./dom.js";
import { badge, toast } from "./parts.js";
import { t, title, word } from "./text.js";

const ABOUT = ["kind", "urgency", "level1", "area", "unit", "summary"];
// The step a person takes next in each state, and the others one click away.
const NEXT = {
  draft: "open", open: "dispatch", consulting: "conclude", dispatched: "sign", return_asked: "refuse_return", handling: "answer",
  extension_asked: "grant_extension", termination_asked: "approve_termination", answered: "approve", calling_back: "close",
};
// What each move asks for; an asterisk marks what it must carry.
const FIELDS = {
  open: ["kind*", "urgency*", "level1*", "area", "unit", "summary"],
  answer_directly: ["kind*", "urgency", "level1*", "area", "unit", "summary", "reply*"],
  explain: ["explanation*", "reason*", "channel*", "same_as", "kind", "level1", "area"],
  withdraw: ["reason*"],
  consult: ["units*", "reason*"], comment: ["unit", "comment*"], conclude: ["ruling*"],
  dispatch: ["unit*", "helpers"], sign: [],
  ask_return: ["reason*", "basis*"], accept_return: ["reason"], refuse_return: ["ruling*"],
  add_helper: ["helpers*", "reason"], helper_feedback: ["unit", "feedback*"], cite_law: ["statutory*", "reason*"],
  ask_extension: ["days*", "reason*"], grant_extension: ["told*", "days"], refuse_extension: ["reason*"],
  answer: ["reply*", "public_reply*", "publish*", "withheld_reason", "truth*", "beyond_duty", "beyond_duty_reason", "solved*", "unsolved_reason", "contacted_at", "not_contacted"],
  approve: ["reason"], redo: ["reason*"], call_back_tried: ["result*", "reason"], close: ["result*", "solved", "satisfied", "reason"],
  ask_termination: ["reason*", "basis"], approve_termination: ["told*"], refuse_termination: ["reason*"],
  raise_level: ["reason*"], rule: ["ruling*"], hand_over: ["person*", "reason"], accept: [], decline: ["reason"], reopen: ["reason*"], join: ["lead*", "reason"], leave: ["reason*"],
};
const ASKS = Object.fromEntries(Object.entries(FIELDS).map(([move, names]) => [move, names.map((name) => name.replace("*", ""))]));
const MUST = Object.fromEntries(Object.entries(FIELDS).map(([move, names]) => [move, names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))]));
const CHOICES = {
  explanation: ["emergency_transfer", "other_channel", "same_matter", "secret", "outside_government", "unlawful", "closed_lawfully", "abusive"],
  truth: ["yes", "partly", "no"], beyond_duty: ["false", "true"], publish: ["true", "false"],
  solved: ["yes", "no", "not_answered"], satisfied: ["satisfied", "basically", "dissatisfied", "not_answered"],
  result: ["reached", "not_reached", "refused", "later"],
};
const ONLY = { answer: { solved: ["yes", "no"] }, call_back_tried: { result: ["not_reached", "refused", "later"] }, close: { result: ["reached", "not_reached", "refused"] } };
const WORDS = {
  explanation: (one) => title("explanation", one), solved: (one) => title("solved", one),
  truth: (one) => title("truth", one), beyond_duty: (one) => title("beyond_duty", one), publish: (one) => title("publish", one),
  satisfied: (one) => title("satisfied", one), result: (one) => title("result", one),
};
const LISTS = ["helpers", "units"];
const TRUTHS = ["beyond_duty", "publish"];
const NUMBERS = ["days", "same_as", "lead"];
// Dispatching straight from a draft is confirming and dispatching: two moves, each in the journal.
const TWO = "open_and_dispatch";

export function caseForm(one, catalogue, move) {
  const node = h("section", { class: "work", "aria-label": t("work.title") });
  let chosen = one.moves.includes(NEXT[one.state]) ? NEXT[one.state] : null;
  let inputs = {};
  let dirty = false;

  function show() {
    if (!chosen) {
      fill(node, h("h3", {}, t(one.outcome ? "work.done" : "work.others_turn")), facts(one), one.moves.length ? others() : null);
      return;
    }
    inputs = {};
    const form = h("form", { class: "fields", oninput: () => { dirty = true; }, onsubmit: (event) => { event.preventDefault(); send(chosen); } },
      ASKS[chosen].map((name) => field(name)), h("p", { class: "form-error", role: "alert", hidden: true }), buttons());
    const about = ASKS[chosen].includes("urgency");
    fill(node, h("h3", {}, t(`work.${chosen}`), h("small", {}, t(`work.${chosen}_hint`))), about && one.suggestion ? advice() : null, form);
  }

  function field(name) {
    const must = MUST[chosen]?.includes(name);
    const id = `field-${name}`;
    const input = control(name, id);
    if (must) input.setAttribute("aria-required", "true");
    inputs[name] = input;
    return h("div", { class: `field field-${name}` }, h("label", { htmlFor: id }, t(`field.${name}`), must ? h("em", { title: t("work.must") }, "*") : null), input, why(name));
  }

  // How sure the advice is, and the other categories one click away.
  function advice() {
    const found = one.suggestion;
    const sure = Math.round(found.confidence * 100);
    const level = h("i", {});
    level.style.width = `${sure}%`;
    const take = (value) => { inputs.level1.value = value; dirty = true; inputs.level1.focus(); };
    return h("div", { class: "advice" }, h("b", {}, t("suggestion.title")), h("span", {}, t("suggestion.person_decides")),
      h("span", {}, t("suggestion.confidence"), " ", h("span", { class: "sure" }, level), `${sure}%`),
      found.alternatives.length ? h("span", {}, t("suggestion.or"), found.alternatives.slice(0, 2).map((other) =>
        h("button", { class: "chip", type: "button", onclick: () => take(other.level1) }, `${other.level1} ${Math.round(other.confidence * 100)}%`))) : null);
  }

  // The words heard that speak for a field's value, under the field.
  function why(name) {
    if (!one.suggestion || !["kind", "urgency", "level1", "area", "unit"].includes(name) || chosen === "dispatch") return null;
    const reasons = one.suggestion.reasons.filter((reason) => reason.sort === name);
    const texts = [...new Set(reasons.map((reason) => reason.text))].slice(0, 4);
    const by = [...new Set(reasons.map((reason) => t(`reason.${reason.by}`)))].join(t("list.and"));
    return h("span", { class: "why" }, texts.map((text) => h("q", { title: text }, text)), by);
  }

  function control(name, id) {
    const value = one[name] ?? "";
    if (name === "kind") return choice(id, catalogue.kinds.map((kind) => [kind, title("kind", kind)]), value);
    if (name === "urgency") return choice(id, catalogue.urgencies.map((urgency) => [urgency, title("urgency", urgency)]), value);
    if (name === "level1") return choice(id, catalogue.level1.map((level) => [level, level]), value);
    if (name === "area") return choice(id, catalogue.areas.map((area) => [area, area]), value);
    if (name === "unit") return unitChoice(id, value);
    if (name === "summary") return h("textarea", { id, rows: "2", maxlength: "4000", value, placeholder: t("work.summary_hint") });
    if (CHOICES[name]) return choice(id, (ONLY[chosen]?.[name] || CHOICES[name]).map((found) => [found, WORDS[name](found)]), "");
    if (LISTS.includes(name)) return unitChoice(id, "", true);
    if (NUMBERS.includes(name)) return h("input", { id, type: "number", min: "1", value: name === "days" && one.asked_days ? one.asked_days : "" });
    if (name === "contacted_at") return h("input", { id, type: "datetime-local" });
    if (name === "person" || name === "statutory") return h("input", { id, type: "text", maxlength: "200" });
    return h("textarea", { id, rows: name === "reply" || name === "public_reply" ? "4" : "2", maxlength: "4000", placeholder: t(`work.${name}_hint`) });
  }

  const choice = (id, values, value) => h("select", { id }, h("option", { value: "" }, "—"),
    values.map(([one, text]) => h("option", { value: one, selected: one === value }, text)));

  function unitChoice(id, value, several = false) {
    const area = inputs.area?.value || one.area;
    const options = (units) => units.map((unit) => h("option", { value: unit.name, selected: unit.name === value, title: unit.duties }, unit.name));
    const whole = catalogue.units.filter((unit) => !unit.area);
    const here = catalogue.units.filter((unit) => unit.area && unit.area === area);
    const elsewhere = catalogue.units.filter((unit) => unit.area && unit.area !== area);
    return h("select", several ? { id, multiple: true, size: "4" } : { id }, several ? null : h("option", { value: "" }, "—"),
      h("optgroup", { label: t("unit.city") }, options(whole)),
      here.length ? h("optgroup", { label: area }, options(here)) : null,
      h("optgroup", { label: t("unit.elsewhere") }, options(elsewhere)));
  }

  const others = () => one.moves.filter((other) => other !== chosen && ASKS[other]).map((other) =>
    h("button", { class: "button quiet", type: "button", onclick: () => { chosen = other; dirty = false; show(); node.querySelector("select, textarea, input, button")?.focus(); } }, t(`move.${other}`)));

  function buttons() {
    return h("div", { class: "actions" },
      h("button", { class: "button primary", type: "submit" }, t(`move.${chosen}`)),
      chosen === "open" ? h("button", { class: "button", type: "button", onclick: () => send(TWO) }, t("move.open_and_dispatch")) : null,
      h("span", { class: "spring" }),
      others());
  }

  // What stands in a field, as the service wants it; undefined where nothing does.
  function value(name) {
    const input = inputs[name];
    if (!input) return undefined;
    if (LISTS.includes(name)) {
      const names = [...input.selectedOptions].map((option) => option.value);
      return names.length ? names : undefined;
    }
    const text = input.value.trim();
    if (!text) return undefined;
    if (NUMBERS.includes(name)) return Number(text);
    if (TRUTHS.includes(name)) return text === "true";
    return name === "contacted_at" ? new Date(text).toISOString() : text;
  }

  const given = (names) => Object.fromEntries(names.map((name) => [name, value(name)]).filter(([, found]) => found !== undefined));

  function lacking(step) {
    const must = step === TWO ? [...MUST.open, "unit"] : MUST[step] || [];
    const missing = must.filter((name) => value(name) === undefined);
    for (const [name, input] of Object.entries(inputs)) input.setAttribute("aria-invalid", String(missing.includes(name)));
    if (missing.length) {
      complain(t("work.missing", { fields: missing.map((name) => t(`field.${name}`)).join(t("list.and")) }));
      inputs[missing[0]].focus();
    }
    return missing.length > 0;
  }

  function complain(text) {
    const place = node.querySelector(".form-error");
    place.hidden = false;
    fill(place, icon("alert"), text);
  }

  async function send(step) {
    if (lacking(step)) return;
    const pressed = node.querySelectorAll("button");
    pressed.forEach((button) => { button.disabled = true; });
    try {
      const about = given(ASKS[step === TWO ? "open" : step]);
      dirty = false;
      if (step === TWO) {
        await move("open", about);
        await move("dispatch", { unit: about.unit });
      } else {
        await move(step.replaceAll("_", "-"), about);
      }
      toast(t(`moved.${step}`, { number: one.number }));
    } catch (error) {
      if (!error.problem) throw error;
      dirty = true;
      pressed.forEach((button) => { button.disabled = false; });
      if (node.isConnected) complain(error.sentence);
      else toast(error.sentence, "bad");
    }
  }

  show();
  return {
    node,
    // Somebody writes here, or has a field open: what changed elsewhere must not sweep it away.
    isBusy: () => dirty || node.contains(document.activeElement),
    warn: (state, reload) => {
      const notice = h("p", { class: "limit warn" }, icon("alert"), t("work.changed", { state: word("state", state) }), " ",
        h("button", { class: "button", type: "button", onclick: reload }, t("work.reload")));
      if (!node.querySelector(".limit.warn")) node.prepend(notice);
    },
  };
}

function facts(one) {
  const rows = ABOUT.filter((name) => one[name]).map((name) => h("div", { class: "fact" }, h("dt", {}, t(`field.${name}`)),
    h("dd", {}, ["kind", "urgency"].includes(name) ? word(name, one[name]) : one[name])));
  return rows.length ? h("dl", { class: "facts" }, rows) : badge(t("case.no_category"));
}
