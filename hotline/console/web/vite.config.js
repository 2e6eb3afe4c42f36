import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// Every file's name carries its hash, so that the service may let browsers keep it for ever.
export default defineConfig({
  root: "src",
  base: "/app/",
  plugins: [vue({ template: { transformAssetUrls: false } })],
  build: { outDir: "../dist", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
