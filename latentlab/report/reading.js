// What stands beside the picture: what a step holds and measures, the options, the outcome in words.

function drawReading(box, asked, model, arm, steps, alone, at) {
  const step = steps[at], probe = model.probes[at + 1], held = reading(model, asked, step, at, alone[at]);
  const list = make("dl");
  const tell = (name, ...what) => list.append(make("dt", {}, name), make("dd", {}, ...what));
  if (asked.path.length > at + 1) {
    const where = step.named === null ? "" : `, in patch ${step.named + 1}`;
    tell("True hop", make("strong", {}, asked.path[at + 1]), make("span", { class: "quiet" }, where));
  }
  if (step.probe) {
    const sure = held.right === null ? null : mark(step.probe.right);
    tell("A probe reads", make("strong", {}, step.probe.label, " "), sure, make("small", {}, probe ? `right in ${probe.right} of ${probe.n} answers left alone` : ""));
  }
  if (step.lens) {
    const bars = make("ul", { class: "bars" });
    for (const [token, p] of step.lens) {
      const visible = token.trim() ? token : JSON.stringify(token);
      bars.append(make("li", {}, make("b", { title: visible }, visible), bar(p), make("span", { class: "number" }, percent(p))));
    }
    tell("The lens reads", bars);
  } else if (!step.probe) tell("It holds", held.text, make("small", {}, held.why));
  if (step.picks || alone[at].picks) {
    const instead = arm.overwritten ? make("small", {}, "something else stands in their slots") : null;
    tell(arm.overwritten ? "It picks" : "It shows again", step.picks ? patches(step.picks) : "no patches", instead);
  }
  if (step.attention === null && asked.picture) tell("It looks at", "no patch: the picture is hidden from it");
  const numbers = make("div", { class: "lines" },
    drawLine(steps, at, "ratio", "uniformRatio", "R, image by text"),
    drawLine(steps, at, "focus", "uniformFocus", "F, focus on the image"));
  if (step.again !== null) numbers.append(make("p", {}, `R of patches shown again: ${number(step.again)} (uniform ${number(step.uniformAgain)})`));
  const open = box.querySelector("details")?.open;
  const fold = make("details", { open: open || null }, make("summary", {}, "Attention in numbers"), make("p", {}, `Seen from the ${step.query}.`), numbers);
  box.replaceChildren(make("h4", {}, `Step ${at + 1} of ${steps.length}`), list, fold);
}

// A measure along the steps, dashed where uniform attention would be.
function drawLine(steps, at, measure, uniform, name) {
  const values = steps.map((step) => step[measure]), nulls = steps.map((step) => step[uniform]);
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

// The answer in words; the word that the embedded models begin with is no part of it.
const LONGEST = 60; // letters of an answer that is none of the options, where there is little room
const said = (answer) => answer.text.replace(/^Answer:? /, "");
const clipped = (text) => (text.length > LONGEST ? text.slice(0, LONGEST) + "…" : text);
const saying = (asked, answer) => (answer.choice === null ? `“${clipped(said(answer))}”` : asked.choices[answer.choice]);

// The outcome in a sentence, which is also what a screen reader hears.
function sentence(asked, arm, alone, now, held) {
  const says = (answer) => saying(asked, answer) + (answer.choice === null ? ", none of the options" : "");
  const before = `Left alone it answers ${says(alone)}`;
  if (!arm) return `${before}: ${alone.right ? "right" : "wrong"}.`;
  const same = alone.choice === now.choice && (alone.choice !== null || alone.text === now.text);
  return `${before}. ${capital(arm.said)}: ${same ? "the same" : `${says(now)}, ${now.right ? "right" : "wrong"}`}.${lender(now, held)}`;
}

// Whose latents were put in, how much of that question's walk they are read as, and whether its
// answer is given.
function lender(now, held) {
  if (!now.donor) return "";
  const path = now.donor_path || [], walked = held.filter((one, i) => path[i + 1] === one.text).length;
  const steps = walked ? `; ${walked} of ${held.length} steps read as that question’s walk` : "";
  const answers = path.length && now.text.endsWith(path[path.length - 1]) ? ", and its answer is given" : "";
  return ` The latents are those of “${now.donor.replace(/[.?]$/, "")}”${steps}${answers}.`;
}
