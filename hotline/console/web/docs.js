// Shows /api/openapi.json to people.

// Every text goes in as a text node, so nothing from the network becomes markup.
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "htmlFor"]);

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? (name.startsWith("aria-") ? "true" : "") : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

const document_ = await (await fetch("/api/openapi.json")).json();

function shape(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(shape).join(" | ");
  if (schema.type === "array") return `${shape(schema.items)}[]`;
  if (schema.type === "object" && schema.additionalProperties) return `{ … : ${shape(schema.additionalProperties)} }`;
  return schema.format ? `${schema.type} (${schema.format})` : schema.type || "any";
}

const row = (name, text) => h("tr", {}, h("th", {}, name), h("td", {}, text));

function operation(path, method, one) {
  const body = one.requestBody?.content["application/json"].schema;
  return h("details", { class: "pane op", id: one.operationId },
    h("summary", {}, h("span", { class: `method ${method}` }, method.toUpperCase()), h("code", {}, path), h("span", { class: "soft" }, one.summary)),
    h("table", {},
      one.parameters.map((part) => row(part.name, `${part.in} · ${shape(part.schema)}${part.required ? " · required" : ""}`)),
      body ? row("body", fields(body)) : null,
      Object.entries(one.responses).map(([status, answer]) => row(status, Object.entries(answer.content).map(([media, content]) =>
        h("div", {}, `${media} · ${shape(content.schema)}`, status.startsWith("2") ? fields(content.schema) : h("small", {}, ` ${answer.description}`)))))));
}

function fields(schema) {
  const found = schema.$ref ? document_.components.schemas[shape(schema)] : schema;
  if (!found?.properties) return null;
  return h("dl", { class: "facts" }, Object.entries(found.properties).map(([name, part]) => h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, shape(part)))));
}

fill(document.getElementById("main"),
  h("p", { class: "soft" }, document_.info.description, " ", h("a", { href: "/api/openapi.json" }, "openapi.json")),
  h("p", {}, " "),
  Object.entries(document_.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => operation(path, method, one))));
