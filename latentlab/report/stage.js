"use strict";
// Draws one recorded answer: picture, latent step, options. Text from data only ever becomes text
// nodes and attributes, so whatever a question holds is shown and never run.

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

function draw(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const letter = (i) => String.fromCharCode(65 + i);
const percent = (p) => (p >= 0.9995 ? "100" : (100 * p).toFixed(1)) + " %";
const number = (x) => (x === null ? "–" : x >= 100 ? x.toFixed(0) : x.toPrecision(3));

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

const WIDTH = 400; // units of the drawing over a picture, whatever its size in pixels

function drawPicture(box, asked, step, shown) {
  if (!asked.picture) {
    box.replaceChildren(make("p", {}, "This question has no picture."));
    return;
  }
  let image = box.querySelector("img");
  if (!image || image.getAttribute("src") !== asked.picture) {
    image = make("img", { src: asked.picture, alt: "The picture that is asked about" });
  }
  const [rows, columns] = step.grid;
  if (!rows || !columns) { // tiles: its patches lie in no one grid, so none can be pointed at
    box.replaceChildren(image);
    return;
  }
  const height = (WIDTH * asked.size[1]) / asked.size[0];
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": inWords(step) });
  const w = WIDTH / columns, h = height / rows;
  const at = (cell, inset) => ({
    x: (cell % columns) * w + inset, y: Math.floor(cell / columns) * h + inset,
    width: w - 2 * inset, height: h - 2 * inset,
  });
  const centre = (cell) => ({ x: (cell % columns + 0.5) * w, y: (Math.floor(cell / columns) + 0.5) * h });
  if (shown.attention && step.attention) {
    const most = Math.max(...step.attention);
    step.attention.forEach((a, cell) => {
      const patch = draw("rect", { ...at(cell, 0), class: "dim", "fill-opacity": (0.78 * (1 - a / most)).toFixed(3) });
      patch.append(draw("title", {}, `patch ${cell + 1}: ${percent(a)} of the attention`));
      svg.append(patch);
    });
  }
  const thin = Math.min(1, Math.min(w, h) / 60); // many patches need thin lines
  const picks = shown.picks && step.picks ? step.picks.filter((cell) => cell >= 0) : [];
  for (const cell of picks) {
    const place = at(cell, 3 * thin);
    svg.append(draw("rect", { ...place, class: "halo" }), draw("rect", { ...place, class: "pick" }));
  }
  if (shown.truth && step.cell_read !== null) {
    for (const [cell, name] of [[step.cell_target, "named"], [step.cell_read, "read"]]) {
      const place = { ...at(cell, 10 * thin), rx: 5 };
      svg.append(draw("rect", { ...place, class: "truth-halo" }), draw("rect", { ...place, class: `truth ${name}` }));
    }
    svg.append(...arrow(centre(step.cell_read), centre(step.cell_target), Math.min(w, h)));
  }
  if (thin === 1) {
    picks.forEach((cell, i) => {
      const place = at(cell, 3);
      svg.append(draw("circle", { cx: place.x + 13, cy: place.y + 13, r: 12, class: "badge" }));
      svg.append(draw("text", { x: place.x + 13, y: place.y + 18.5, class: "badge-text" }, i + 1));
    });
  }
  box.replaceChildren(image, svg);
}

// From the cell to read to the one it names: a line between their edges, with a tip.
function arrow(from, to, cell) {
  const dx = to.x - from.x, dy = to.y - from.y, length = Math.hypot(dx, dy);
  if (length < cell / 2) return [];
  const edge = (0.42 * cell) / length, tip = Math.min(16, cell / 4) / length;
  const [x1, y1, x2, y2] = [from.x + edge * dx, from.y + edge * dy, to.x - edge * dx, to.y - edge * dy];
  const [bx, by] = [x2 - tip * dx, y2 - tip * dy], half = tip / 2;
  const points = `${x2},${y2} ${bx - half * dy},${by + half * dx} ${bx + half * dy},${by - half * dx}`;
  const line = { x1, y1, x2: bx, y2: by };
  return [draw("line", { ...line, class: "truth-halo" }), draw("line", { ...line, class: "truth" }), draw("polygon", { points, class: "tip" })];
}

// What the drawing shows, for those who cannot see it.
function inWords(step) {
  const parts = [];
  if (step.attention) {
    const order = step.attention.map((a, cell) => [a, cell]).sort((one, other) => other[0] - one[0]);
    parts.push("Most attended patches: " + order.slice(0, 3).map(([a, cell]) => `${cell + 1} (${percent(a)})`).join(", "));
  }
  if (step.picks) parts.push("picked: " + patches(step.picks));
  if (step.cell_read !== null) parts.push(`cell to read: ${step.cell_read + 1}, it names cell ${step.cell_target + 1}`);
  return parts.join("; ") || "nothing to mark";
}

function patches(picks) {
  const there = picks.filter((cell) => cell >= 0).map((cell) => cell + 1);
  return (there.length === 1 ? "patch " : "patches ") + (there.join(" and ") || "none");
}

function drawReading(box, asked, trace, at, probes) {
  const step = trace.steps[at], probe = probes[at + 1];
  const list = make("dl");
  const tell = (name, ...what) => list.append(make("dt", {}, name), make("dd", {}, ...what));
  if (asked.path.length > at + 1) {
    const where = step.cell_target === null ? "" : `, in patch ${step.cell_target + 1}`;
    tell("True hop", make("strong", {}, asked.path[at + 1]), make("span", { class: "quiet" }, where));
  }
  if (step.probe) {
    const mark = step.probe.right ? ["mark-right", " ✓"] : ["mark-wrong", " ✗"];
    const about = `right in ${probe.accuracy} of ${probe.n}; linear, fitted on other questions`;
    tell("A probe reads", make("strong", {}, step.probe.label),
      make("span", { class: mark[0], role: "img", "aria-label": step.probe.right ? "right" : "wrong" }, mark[1]),
      make("br"), make("small", {}, about));
  }
  if (step.lens.length) {
    const bars = make("ul", { class: "bars" });
    for (const [token, p] of step.lens) {
      const visible = token.trim() ? token : JSON.stringify(token);
      bars.append(make("li", {}, make("b", { title: visible }, visible), bar(p), make("span", { class: "number" }, percent(p))));
    }
    tell("The logit lens reads", bars);
  }
  tell("It picks", step.picks ? patches(step.picks) : "no patches");
  if (step.again !== null) tell("R, re-inserted", number(step.again), make("span", { class: "quiet" }, ` (uniform ${number(step.uniform_again)})`));
  const lines = make("div", { class: "lines" },
    drawLine(trace, at, "ratio", "uniform_ratio", "R, image by text"),
    drawLine(trace, at, "focus", "uniform_focus", "F, focus on the image"));
  box.replaceChildren(make("h4", {}, `Step ${at + 1} of ${trace.steps.length}, seen from the ${step.query}`), list, lines);
}

// A measure along the steps, dashed where uniform attention would be.
function drawLine(trace, at, measure, uniform, name) {
  const values = trace.steps.map((step) => step[measure]), nulls = trace.steps.map((step) => step[uniform]);
  const svg = draw("svg", { viewBox: "0 0 200 60", "aria-hidden": "true" });
  const top = Math.max(...[...values, ...nulls].filter((v) => v !== null), 1e-9);
  const x = (i) => (values.length > 1 ? 8 + (184 * i) / (values.length - 1) : 100);
  const y = (v) => 54 - (46 * v) / top;
  for (const [series, look] of [[nulls, "null"], [values, "curve"]]) {
    const points = series.map((v, i) => (v === null ? null : `${x(i)},${y(v)}`)).filter((p) => p !== null);
    svg.append(draw("polyline", { points: points.join(" "), class: look }));
  }
  values.forEach((v, i) => {
    if (v !== null) svg.append(draw("circle", { cx: x(i), cy: y(v), r: 4.5, class: i === at ? "dot now" : "dot" }));
  });
  const here = values[at] === null ? "the image is hidden here" : `uniform ${number(nulls[at])}`;
  return make("figure", {}, make("figcaption", {}, name), svg,
    make("figcaption", {}, make("b", {}, number(values[at])), ` (${here})`));
}

function drawOptions(list, asked, alone, now) {
  list.replaceChildren(...asked.choices.map((choice, i) => {
    const gold = asked.gold === i;
    const marks = [gold ? "right" : null, now.choice === i ? "answered" : null].filter(Boolean).join(", ");
    return make("li", { class: gold ? "gold" : null },
      make("span", { class: "quiet" }, letter(i)),
      make("span", { class: "name" }, choice, marks ? make("span", { class: "quiet" }, ` ${marks}`) : null),
      bar(now.probabilities[i] || 0, alone.probabilities[i] || 0),
      make("span", { class: "number" }, percent(now.probabilities[i] || 0)));
  }));
}

// The outcome in a sentence, which is also what a screen reader hears.
function sentence(asked, arm, alone, now) {
  const says = (answer) => (answer.choice === null ? `“${answer.text}”, none of the options` : asked.choices[answer.choice]);
  const before = `Left alone it answers ${says(alone)}`;
  if (!arm) return `${before}.`;
  const same = alone.choice === now.choice && (alone.choice !== null || alone.text === now.text);
  return `${before}. ${capital(arm.said)}: ${same ? "the same" : says(now)}.`;
}
