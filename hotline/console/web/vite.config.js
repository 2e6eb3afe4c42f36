import vue from "@vitejs/plugin-vue";
import styles from "unplugin-element-plus/vite";
import { defineConfig } from "vite";

// Every file's name carries its hash, so that the service may let browsers keep it for ever. Each
// Element Plus part brings its own style, where it is imported.
export default defineConfig({
  root: "src",
  base: "/app/",
  plugins: [vue({ template: { transformAssetUrls: false } }), styles({})],
  build: { outDir: "../dist", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: { environment: "node" },
});
