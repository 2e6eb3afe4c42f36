// Signing in, and naming the seat one works at.

import { fill, h, icon } from "./dom.js";
import { ask, post } from "./api.js";
import { known, t } from "./text.js";

export function signInView(place, session, done) {
  const error = h("p", { class: "form-error", role: "alert", hidden: true });
  const login = h("input", { id: "login", autocomplete: "username", autocapitalize: "none", spellcheck: "false", "aria-required": "true" });
  const password = h("input", { id: "password", type: "password", autocomplete: "current-password", "aria-required": "true" });
  const seat = h("input", { id: "seat", inputmode: "numeric", pattern: "[0-9]{2,8}", autocomplete: session.login_needed ? "off" : "username" });
  const form = h("form", { class: "fields", onsubmit: send },
    session.login_needed ? field("login", login) : field("seat", seat),
    field("password", password),
    session.login_needed ? field("seat", seat) : null,
    error, h("button", { class: "button primary", type: "submit" }, t("login.enter")),
    session.openid ? h("a", { class: "button", href: "/api/openid" }, t("login.openid")) : null);
  fill(place, h("section", { class: "login pane" }, h("img", { src: "/web/icon.svg", alt: "", width: "44", height: "44" }), h("h1", {}, t("login.title")), h("p", { class: "soft" }, t("login.hint")), form));
  (session.login_needed ? login : seat).focus();
  // Whoever comes back from the identity provider without its word is told so once.
  const problem = new URLSearchParams(location.search).get("problem");
  if (problem && known(`problem.${problem}`)) {
    error.hidden = false;
    fill(error, icon("alert"), t(`problem.${problem}`));
    history.replaceState(null, "", location.pathname);
  }

  async function send(event) {
    event.preventDefault();
    error.hidden = true;
    try {
      done(await post("/api/session", { ...(session.login_needed ? { login: login.value.trim() } : {}), password: password.value, ...(seat.value.trim() ? { seat: seat.value.trim() } : {}) }));
    } catch (refused) {
      if (!refused.problem) throw refused;
      error.hidden = false;
      fill(error, icon("alert"), refused.sentence);
      password.select();
    }
  }
}

const field = (name, input) => h("div", { class: "field" }, h("label", { htmlFor: input.id }, t(`login.${name}`)), input);

// A password that somebody else set is changed before anything else.
export function passwordView(place, done) {
  const error = h("p", { class: "form-error", role: "alert", hidden: true });
  const input = (id, autocomplete) => h("input", { id, type: "password", autocomplete, "aria-required": "true" });
  const old = input("old", "current-password");
  const next = input("new", "new-password");
  const again = input("again", "new-password");
  const form = h("form", { class: "fields", onsubmit: send }, field("old", old), field("new", next), field("again", again),
    error, h("button", { class: "button primary", type: "submit" }, t("login.change")));
  fill(place, h("section", { class: "login pane" }, h("h1", {}, t("login.change")), h("p", { class: "soft" }, t("login.change_hint")), form));
  old.focus();

  async function send(event) {
    event.preventDefault();
    error.hidden = true;
    if (next.value !== again.value) {
      error.hidden = false;
      fill(error, icon("alert"), t("login.differ"));
      return;
    }
    try {
      done(await post("/api/session/password", { old: old.value, new: next.value }));
    } catch (refused) {
      if (!refused.problem) throw refused;
      error.hidden = false;
      fill(error, icon("alert"), refused.problem.type === "invalid" ? t("login.weak") : refused.sentence);
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
    return h("span", { class: "who" }, [session.user?.name, session.seat].filter(Boolean).join(" ") || t("login.console"), h("button", { class: "button quiet", type: "button", onclick: out }, t("login.leave")));
  }
  if (!session.seats.length) return null;
  return h("label", { class: "who" }, h("span", { class: "hidden" }, t("login.seat")),
    h("select", { onchange: choose, "aria-label": t("login.seat") }, h("option", { value: "" }, t("login.console")),
      session.seats.map((seat) => h("option", { value: seat.extension, selected: seat.extension === session.seat }, `${seat.extension} ${seat.name || seat.badge}`))));
}
