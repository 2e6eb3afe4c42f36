// The addresses of the app: one for each page of each area, and the way in.
import { createRouter, createWebHashHistory } from "vue-router";
import { homeOf, PAGES } from "./areas";
import { session } from "./session";
import { wordsOf } from "./text";

const views = import.meta.glob("./pages/*/*.vue");

// A page comes together with the words of its area.
async function withWords(area: string, view: string, words: string[] = [area]): Promise<unknown> {
  const load = views[`./pages/${area}/${view}.vue`];
  if (!load) throw new Error(`${area}/${view}.vue is not there`);
  const [page] = await Promise.all([load(), ...words.map(wordsOf)]);
  return page;
}

const inside = (): boolean => Boolean(session.value?.signed_in) && !session.value?.must_change;
const home = (): string => homeOf(session.value?.roles ?? []) ?? "nothing";

export const router = createRouter({
  history: createWebHashHistory("/app/"),
  routes: [
    { path: "/sign-in", name: "sign_in", component: () => withWords("sign_in", "SignIn") },
    { path: "/nothing", name: "nothing", component: () => import("./parts/NotYours.vue") },
    ...PAGES.map((page) => ({
      path: page.path,
      name: page.name,
      component: () => withWords(page.area, page.view, page.words),
      props: true,
      meta: { roles: page.roles, title: page.title },
    })),
    { path: "/:rest(.*)*", redirect: () => ({ name: home() }) },
  ],
});

router.beforeEach((to) => {
  const wanted = to.name === "nothing" ? {} : { to: to.fullPath };
  if (!inside()) return to.name === "sign_in" ? true : { name: "sign_in", query: wanted };
  return to.name === "sign_in" ? String(to.query.to ?? "/") : true;
});

