// The one table of pages. A page's roles stand in roles.json, which a test holds against the
// roles of the address the page reads; the service checks every request in any case.
import { createRouter, createWebHashHistory } from "vue-router";
import pages from "./roles.json";
import { session } from "./session";

export const router = createRouter({
  history: createWebHashHistory("/app/"),
  routes: [
    { path: "/sign-in", name: "sign_in", component: () => import("./pages/sign_in/SignIn.vue") },
    {
      path: "/cases",
      name: "cases",
      component: () => import("./pages/cases/CaseList.vue"),
      meta: { roles: pages.cases.roles },
    },
    {
      path: "/phone",
      name: "phone",
      component: () => import("./phone/PhonePanel.vue"),
      meta: { roles: pages.phone.roles },
    },
    { path: "/:rest(.*)*", redirect: "/cases" },
  ],
});

export function mayOpen(roles: readonly string[] | undefined): boolean {
  return !roles || session.value?.roles.some((role) => roles.includes(role)) === true;
}

router.beforeEach((to) => {
  const inside = session.value?.signed_in && !session.value.must_change;
  if (!inside) return to.name === "sign_in" ? true : { name: "sign_in" };
  return to.name === "sign_in" ? { name: "cases" } : true;
});
