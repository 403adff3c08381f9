"use strict";
// Elements and numbers. Text from data only ever becomes text nodes and attributes, so whatever a
// question holds is shown and never run.

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

function draw(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const letter = (i) => String.fromCharCode(65 + i);
const percent = (p) => (p >= 0.9995 ? "100" : (100 * p).toFixed(1)) + "\u00a0%";
const number = (x) => (x === null ? "–" : x >= 100 ? x.toFixed(0) : x.toPrecision(3));

// A tick or a cross that is also said; nothing where nothing can be said.
function mark(right) {
  if (right === null) return null;
  return make("span", { class: right ? "mark-right" : "mark-wrong", role: "img", "aria-label": right ? "right" : "wrong" }, right ? "✓" : "✗");
}

// A bar whose length is a share; `before` marks what it was when the model was left alone.
function bar(share, before) {
  const filled = make("i");
  filled.style.width = 100 * share + "%";
  const whole = make("span", { class: "bar", "aria-hidden": "true" }, filled);
  if (before !== undefined) {
    const tick = make("u");
    tick.style.left = 100 * before + "%";
    whole.append(tick);
  }
  return whole;
}

// A spot of a model's own colour, which is the one that figures draw it in.
function swatch(model) {
  const spot = make("span", { class: "swatch", "aria-hidden": "true" });
  spot.style.background = `var(--model-${CSS.escape(model.name)}, ${model.colour})`;
  return spot;
}
