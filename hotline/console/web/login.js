// Signing in, and naming the seat one works at.

import { fill, h, icon } from "./dom.js";
import { ask, post } from "./api.js";
import { t } from "./text.js";

export function signInView(place, session, done) {
  const error = h("p", { class: "form-error", role: "alert", hidden: true });
  const password = h("input", { id: "password", type: "password", autocomplete: "current-password", "aria-required": "true" });
  const seat = h("input", { id: "seat", inputmode: "numeric", pattern: "[0-9]{2,8}", autocomplete: "username" });
  const form = h("form", { class: "fields", onsubmit: send },
    h("div", { class: "field" }, h("label", { htmlFor: "seat" }, t("login.seat")), seat),
    h("div", { class: "field" }, h("label", { htmlFor: "password" }, t("login.password")), password),
    error, h("button", { class: "button primary", type: "submit" }, t("login.enter")));
  fill(place, h("section", { class: "login pane" }, h("img", { src: "/web/icon.svg", alt: "", width: "44", height: "44" }), h("h1", {}, t("login.title")), h("p", { class: "soft" }, t("login.hint")), form));
  seat.focus();

  async function send(event) {
    event.preventDefault();
    error.hidden = true;
    try {
      done(await post("/api/session", { password: password.value, ...(seat.value.trim() ? { seat: seat.value.trim() } : {}) }));
    } catch (refused) {
      if (!refused.problem) throw refused;
      error.hidden = false;
      fill(error, icon("alert"), refused.sentence);
      password.select();
    }
  }
}

// Who works here: a choice of the configured seats, and the way out.
export function seatChoice(session, changed) {
  const choose = async (event) => {
    const seat = event.target.value;
    changed(seat ? await post("/api/session", { seat }) : await ask("DELETE", "/api/session"));
  };
  if (session.password_needed) {
    const out = async () => changed(await ask("DELETE", "/api/session"));
    return h("span", { class: "who" }, session.seat || t("login.console"), h("button", { class: "button quiet", type: "button", onclick: out }, t("login.leave")));
  }
  if (!session.seats.length) return null;
  return h("label", { class: "who" }, h("span", { class: "hidden" }, t("login.seat")),
    h("select", { onchange: choose, "aria-label": t("login.seat") }, h("option", { value: "" }, t("login.console")),
      session.seats.map((seat) => h("option", { value: seat.extension, selected: seat.extension === session.seat }, `${seat.extension} ${seat.name || seat.badge}`))));
}
