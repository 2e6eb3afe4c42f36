// The page put together: words, session, navigation, the live feed and the strip of health.

import { fill, h, icon } from "./dom.js";
import { get, onSignedOut } from "./api.js";
import { callsView } from "./calls.js";
import { casesView } from "./cases.js";
import { feedState, gently, listen, onEntry, onFeedState, stop } from "./feed.js";
import { journalView } from "./journal.js";
import { passwordView, seatChoice, signInView } from "./login.js";
import { overview } from "./overview.js";
import { badge, failed } from "./parts.js";
import { clock, speak, spoken, t, when, word } from "./text.js";

const place = (id) => document.getElementById(id);
const main = place("main");
const VIEWS = ["overview", "calls", "cases", "journal"];
const OFFICE = ["operator", "dispatcher", "duty_officer", "supervisor", "call_back", "auditor", "leader", "discipline"];
// What a person's roles show; the service checks every request in any case.
const views = () => {
  const roles = session?.roles || [];
  if (roles.some((role) => OFFICE.includes(role))) return VIEWS;
  return roles.includes("unit") ? ["cases", "journal"] : ["journal"];
};
const given = new URLSearchParams(location.search);
let session = null;
let catalogue = null;
let shown = null; // the view on the page: { name, close, choose }

const kept = (name, fallback) => { try { return localStorage.getItem(name) || fallback; } catch { return fallback; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a private window keeps nothing */ } };

function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function route() {
  const [, view = "", id = ""] = location.hash.split("/");
  return { view: views().includes(view) ? view : views()[0], id: /^[0-9]{1,18}$/.test(id) ? Number(id) : null };
}

function showTop() {
  const { view } = route();
  const link = (name) => h("a", { href: `#/${name}`, "aria-current": name === view ? "page" : null }, t(`nav.${name}`));
  const language = spoken() === "zh" ? "en" : "zh";
  fill(place("top"),
    h("div", { class: "brand" }, h("img", { src: "/web/icon.svg", alt: "", width: "30", height: "30" }), h("div", {}, h("b", {}, catalogue ? catalogue.city : t("brand.city")), h("small", {}, t("brand.name")))),
    session?.signed_in && !session.must_change ? h("nav", { "aria-label": t("nav.title") }, views().map(link)) : h("span", { class: "spring" }),
    h("div", { class: "tools" },
      session?.signed_in && !session.must_change ? connection() : null,
      session?.signed_in ? seatChoice(session, begin) : null,
      h("button", { class: "button quiet", type: "button", lang: language === "zh" ? "zh-CN" : "en", onclick: () => change(language) }, language === "zh" ? "中文" : "English"),
      h("button", { class: "button quiet square", type: "button", "aria-label": t(isDark() ? "theme.light" : "theme.dark"), onclick: () => { const next = isDark() ? "light" : "dark"; keep("theme", next); applyTheme(next); showTop(); } }, icon(isDark() ? "sun" : "moon"))));
}

function connection() {
  const { state } = feedState();
  return h("span", { class: `pill ${state}`, id: "connection", role: "status" }, h("i", {}), t(`feed.${state}`));
}

async function change(language) {
  keep("language", language);
  await speak(language);
  show();
}

function show() {
  shown?.close?.();
  shown = null;
  document.title = t("brand.title", { city: catalogue ? catalogue.city : "" });
  place("skip").textContent = t("nav.skip");
  showTop();
  if (!session.signed_in) {
    fill(place("strip"));
    fill(place("banners"));
    signInView(main, session, begin);
    return;
  }
  if (session.must_change) {
    passwordView(main, begin);
    return;
  }
  const { view, id } = route();
  const shows = { overview, calls: callsView, cases: casesView, journal: journalView };
  shown = { name: view, ...shows[view](main, id, catalogue) };
  showHealth();
  showBanners();
}

async function begin(next) {
  session = next;
  if (session.signed_in && !session.must_change) {
    catalogue = await get("/api/catalogue");
    listen();
  } else {
    stop();
  }
  show();
}

let healthText = "";

async function showHealth() {
  if (!session?.signed_in || session.must_change) return;
  let health = null;
  let numbers = null;
  try {
    health = await (await fetch("/healthz")).json();
    numbers = await get("/api/numbers");
  } catch { /* the banner says that the service does not answer */ }
  const parts = health?.checks?.map((check) => h("span", { class: `part ${check.works ? "works" : "fails"}`, title: check.sentence || "" },
    h("i", {}), partName(check.name), check.works ? null : h("em", {}, check.sentence || t("health.fails")))) || [];
  const text = JSON.stringify([health, numbers && { ...numbers, at: 0 }, spoken()]);
  if (text === healthText && place("strip").childNodes.length) return;
  healthText = text;
  fill(place("strip"),
    h("span", { class: "strip-title" }, t("health.title")), parts.length ? parts : badge(t("health.unknown"), "amber"),
    h("span", { class: "spring" }),
    numbers?.transcripts_pending ? h("span", {}, t("health.transcripts", { count: numbers.transcripts_pending, since: when(numbers.transcripts_oldest_pending_at) })) : null,
    numbers && (numbers.recordings.missing || numbers.recordings.damaged) ? badge(t("health.recordings", { count: (numbers.recordings.missing || 0) + (numbers.recordings.damaged || 0) }), "amber") : null,
    numbers?.differences ? badge(t("health.differences", { count: numbers.differences }), "plain") : null,
    catalogue?.sample ? badge(t("health.sample"), "amber") : null,
    h("a", { href: "/api/docs" }, t("health.api")));
}

function partName(name) {
  const [kind, ...rest] = name.split(" ");
  return [word("part", kind), ...rest].join(" ");
}

async function showBanners() {
  if (!session?.signed_in || session.must_change || !views().includes("cases")) return;
  const banners = [];
  const { state, heardAt } = feedState();
  if (state === "lost") banners.push(h("div", { class: "banner warn" }, icon("alert"), t("banner.lost", { at: heardAt ? clock(heardAt) : "—" })));
  try {
    const found = await get("/api/cases?urgency=emergency&limit=20");
    const urgent = found.cases.filter((it) => it.state === "draft" || it.state === "open");
    if (urgent.length) {
      banners.push(h("div", { class: "banner emergency" }, icon("alert"), h("b", {}, t("banner.emergency", { count: urgent.length })),
        urgent.slice(0, 4).map((one) => h("a", { href: `#/cases/${one.id}` }, `${one.area || t("case.no_area")} · ${one.level1 || t("case.no_category")} · ${clock(one.drafted_at).slice(0, 5)}`))));
    }
  } catch { /* while the service is away the first banner stands alone */ }
  const text = spoken() + banners.map((banner) => banner.textContent).join();
  if (place("banners").dataset.text !== text) {
    place("banners").dataset.text = text;
    fill(place("banners"), banners);
  }
}

// Within a list only the chosen one changes; elsewhere the whole view does.
function moveOn() {
  const { view, id } = route();
  if (shown?.name === view && shown.choose) {
    shown.choose(id);
    return;
  }
  show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

// Keyboard: 1-4 go to the pages, j and k move through a list, / searches, Escape goes back.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const { view, id } = route();
  if (session?.signed_in && "1234".includes(event.key)) location.hash = `#/${views()[Number(event.key) - 1] || view}`;
  else if (event.key === "/" && place("search")) { place("search").focus(); event.preventDefault(); }
  else if (event.key === "Escape" && id) location.hash = `#/${view}`;
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
});

function step(by) {
  const rows = [...main.querySelectorAll("a.row")];
  const now = Math.max(rows.indexOf(document.activeElement), rows.findIndex((row) => row.getAttribute("aria-current")));
  rows[Math.min(rows.length - 1, Math.max(0, now + by))]?.focus();
}

async function start() {
  applyTheme(given.get("theme") || kept("theme", "auto"));
  await speak(["zh", "en"].includes(given.get("lang")) ? given.get("lang") : kept("language", "zh"));
  addEventListener("hashchange", moveOn);
  onSignedOut(() => { if (session?.signed_in) begin({ ...session, signed_in: false }); });
  onFeedState(() => { place("connection")?.replaceWith(connection()); showBanners(); });
  const calm = gently(async () => { await showBanners(); await showHealth(); }, 1500);
  onEntry(calm);
  setInterval(showHealth, 15000);
  const enter = async () => {
    try {
      await begin(await get("/api/session"));
    } catch (error) {
      session = { signed_in: false };
      showTop();
      fill(main, failed(error, enter));
    }
  };
  await enter();
}

start();
