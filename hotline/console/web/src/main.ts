// The console put together: words first, then the session, then the page.
import "element-plus/theme-chalk/base.css";
import "element-plus/theme-chalk/dark/css-vars.css";
import "./style.css";

import { createApp } from "vue";
import App from "./App.vue";
import { loadSession } from "./session";
import { router } from "./router";
import { applyTheme, preferredLanguage, speak } from "./text";

applyTheme();
await speak(preferredLanguage());
await loadSession().catch(() => undefined); // the sign-in page says what is wrong
createApp(App).use(router).mount("#app");
