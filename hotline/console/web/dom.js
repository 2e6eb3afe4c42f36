// Builds the page. Every text goes in as a text node, so nothing from the network becomes markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "htmlFor"]);

export function h(tag, attributes = {}, ...children) {
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

export function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

// Rows that did not change stay the same nodes, so that focus, hover and selection survive.
export function keyed(parent, items, keyOf, render) {
  const before = parent.rows || new Map();
  const after = new Map();
  const focused = [...before].find(([, row]) => row.node === document.activeElement)?.[0];
  const nodes = items.map((item) => {
    const key = keyOf(item);
    const text = JSON.stringify(item) + document.documentElement.lang;
    const known = before.get(key);
    const row = known && known.text === text ? known : { text, node: render(item) };
    after.set(key, row);
    return row.node;
  });
  parent.rows = after;
  const same = nodes.length === parent.childNodes.length
    && nodes.every((node, place) => parent.childNodes[place] === node);
  if (!same) parent.replaceChildren(...nodes);
  if (focused !== undefined && after.has(focused)) after.get(focused).node.focus({ preventScroll: true });
}

const ICONS = {
  phone: "M6.6 3.5 9 6.900a1.600 1.600 0 0 1-.200 2l-1.300 1.300c1.200 2.300 3 4.100 5.300 5.300l1.300-1.300a1.600 1.600 0 0 1 2-.200l3.400 2.400c.800.600.900 1.700.200 2.400l-1.400 1.400c-1 1-2.500 1.300-3.800.800C8.700 19 5 15.300 3 9.500c-.500-1.300-.200-2.800.800-3.800l1.400-1.400c.700-.700 1.800-.600 2.400.200z",
  play: "M7 4.500v15l13-7.500z",
  pause: "M6 4.500h4v15H6zM14 4.500h4v15h-4z",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v3M12 20v3M1 12h3M20 12h3M4.200 4.200l2.100 2.100M17.700 17.700l2.100 2.100M4.200 19.800l2.100-2.100M17.700 6.300l2.100-2.100",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z",
  alert: "M12 3 2 20.500h20zM12 10v5M12 17.500v.500",
  check: "M5 12.500 10 17.500 19.500 7",
  back: "M15 5l-7 7 7 7",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function markRow(row, isCurrent) {
  if (isCurrent) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
}
