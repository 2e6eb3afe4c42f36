import vue from "eslint-plugin-vue";
import a11y from "eslint-plugin-vuejs-accessibility";
import ts from "typescript-eslint";
import parser from "vue-eslint-parser";

export default [
  { ignores: ["dist/**", "build/**", "node_modules/**", "*.js"] },
  ...ts.configs.strict,
  ...vue.configs["flat/recommended"],
  ...a11y.configs["flat/recommended"],
  {
    files: ["src/**/*.ts", "src/**/*.vue"],
    languageOptions: { parser, parserOptions: { parser: ts.parser } },
    rules: {
      // How markup is broken into lines is left to whoever writes it.
      ...Object.fromEntries(
        ["max-attributes-per-line", "singleline-html-element-content-newline", "html-self-closing", "html-closing-bracket-newline",
          "first-attribute-linebreak", "multiline-html-element-content-newline", "html-indent", "attributes-order", "attribute-hyphenation",
          "require-default-prop", "multi-word-component-names"].map((rule) => [`vue/${rule}`, "off"]),
      ),
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-invalid-void-type": "off",
      // Element Plus draws the field inside its own part, where the label finds it by id.
      "vuejs-accessibility/label-has-for": ["error", { required: { some: ["nesting", "id"] }, controlComponents: ["ElInput", "ElSelect", "ElDatePicker", "ElInputNumber", "ElCheckbox", "ElSwitch"] }],
      "vuejs-accessibility/form-control-has-label": "off",
    },
  },
];
