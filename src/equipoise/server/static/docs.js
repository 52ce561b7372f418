"use strict";
// Renders /openapi.json. Everything goes in as text nodes: nothing in the document can become markup.

const METHODS = ["get", "post", "put", "patch", "delete"];

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function resolve(doc, schema) {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.split("/").slice(1).reduce((node, key) => node[key], doc);
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.anyOf || schema.oneOf;
  if (options) return options.map(typeName).join(" | ");
  if (schema.type === "array") return `${typeName(schema.items)}[]`;
  return schema.type || "any";
}

function limits(schema) {
  const words = { minLength: "≥ characters", maxLength: "≤ characters", minimum: "≥", maximum: "≤", maxItems: "≤ entries" };
  return Object.entries(words).filter(([key]) => key in schema).map(([key, word]) => `${word} ${schema[key]}`).join(", ");
}

function row(name, required, schema, says) {
  const about = [says || schema.description || "", limits(schema)].filter(Boolean).join(" · ");
  return el("tr", {}, el("td", {}, el("code", {}, name), required ? " *" : ""), el("td", {}, el("code", {}, typeName(schema))), el("td", {}, about));
}

function table(rows) {
  const head = el("tr", {}, el("th", {}, "name"), el("th", {}, "type"), el("th", {}, "meaning (* needed)"));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

function shape(doc, schema, seen = new Set()) {
  const parts = [];
  for (const option of schema.oneOf || [schema]) {
    const name = typeName(option);
    const found = resolve(doc, option);
    if (seen.has(name) || !found.properties) continue;
    seen.add(name);
    const needed = new Set(found.required || []);
    parts.push(el("h3", {}, name), el("p", {}, found.description || ""));
    parts.push(table(Object.entries(found.properties).map(([key, value]) => row(key, needed.has(key), value))));
    for (const value of Object.values(found.properties)) {
      const inner = [value, value.items, ...(value.anyOf || [])].filter((one) => one && one.$ref);
      for (const one of inner) parts.push(...shape(doc, one, seen));
    }
  }
  return parts;
}

function example(content) {
  return content.example === undefined ? [] : [el("h3", {}, "Example"), el("pre", {}, JSON.stringify(content.example, null, 2))];
}

function body(doc, title, content) {
  const [[media, first]] = Object.entries(content);
  return [el("h3", {}, `${title} (${media})`), ...example(first), ...shape(doc, first.schema || {})];
}

function answers(doc, responses) {
  const parts = [];
  const problems = [];
  for (const [status, raw] of Object.entries(responses)) {
    const response = resolve(doc, raw);
    if (raw.$ref) problems.push(el("tr", {}, el("td", {}, el("code", {}, status)), el("td", {}, response.description)));
    else if (response.content) parts.push(...body(doc, `Answer ${status}`, response.content));
    else parts.push(el("h3", {}, `Answer ${status}`), el("p", {}, "No body."));
  }
  parts.push(el("h3", {}, "Problems (RFC 9457)"), el("div", { class: "scroll" }, el("table", {}, el("tbody", {}, ...problems))));
  return parts;
}

function operation(doc, path, method, entry) {
  const keys = entry["x-key-kinds"].map((kind) => `${kind}_`).join(" ");
  const box = el("details", { id: entry.operationId },
    el("summary", {}, el("span", { class: "keys" }, entry.security.length ? `key: ${keys}` : "no key needed"),
      el("span", { class: "method" }, method.toUpperCase()), el("code", {}, path), el("span", { class: "says" }, entry.summary)));
  if (entry.description) box.append(el("p", {}, entry.description));
  if (entry.parameters.length) {
    box.append(el("h3", {}, "Parameters"), table(entry.parameters.map((one) => row(one.name, one.required, one.schema, `${one.in}${one.description ? ": " + one.description : ""}`))));
  }
  if (entry.requestBody) box.append(...body(doc, "Request", entry.requestBody.content));
  box.append(...answers(doc, entry.responses));
  return box;
}

function openNamed() {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named) { named.open = true; named.scrollIntoView(); }
}

function render(doc) {
  document.getElementById("about").textContent = `Version ${doc.info.version}. ${doc.info.description.replaceAll("\n", " ")}`;
  const groups = new Map();
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const method of METHODS.filter((one) => one in methods)) {
      const entry = methods[method];
      const tag = entry.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([path, method, entry]);
    }
  }
  for (const [tag, entries] of groups) {
    document.getElementById("routes").append(el("h2", {}, tag), ...entries.map((one) => operation(doc, ...one)));
    for (const [path, method, entry] of entries) {
      document.getElementById("contents").append(el("a", { href: `#${entry.operationId}` }, el("span", { class: "method" }, method.toUpperCase()), path));
    }
  }
  addEventListener("hashchange", openNamed);
  openNamed();
}

fetch("/openapi.json").then((answer) => answer.json()).then(render).catch((error) => {
  document.getElementById("about").textContent = `/openapi.json could not be read: ${error}`;
});
