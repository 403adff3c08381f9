// The walk as a row of pills: what each latent step holds beside the true hop, so that one sees where
// it breaks; and the same question asked of every model, one row each.

// The steps are buttons with one tab stop: arrow keys move from one to the next.
function drawPath(list, asked, model, steps, alone, at, now, choose) {
  const had = list.contains(document.activeElement);
  const stations = steps.map((step, i) => {
    const held = reading(model, asked, step, i, alone[i]), hop = asked.path[i + 1];
    const below = hop ? `hop ${i + 1}: ${hop}` : "";
    const button = make("button", { type: "button", title: held.why, tabindex: i === at ? 0 : -1, "aria-current": i === at ? "step" : null, class: held.right === null ? "mute" : held.right ? "holds" : "breaks" },
      make("small", {}, `${i + 1} `, make("span", { class: "word" }, held.right === null ? "" : "reads")),
      make("b", {}, held.text, "\u00a0", mark(held.right)), make("small", {}, below));
    button.addEventListener("click", () => choose(i + 1));
    return make("li", { class: i > at ? "ahead" : null }, button);
  });
  const end = (name, text, right) => make("li", { class: name }, make("span", {}, make("small", {}, name === "from" ? "from" : "answers"), make("b", {}, text, "\u00a0", mark(right)),
    name === "to" ? make("small", {}, `truth: ${asked.choices[asked.gold]}`) : null));
  list.classList.toggle("few", steps.length <= 4);
  list.replaceChildren(...(asked.path.length ? [end("from", asked.path[0], null)] : []), ...stations, end("to", saying(asked, now), now.right));
  if (had) list.querySelector("[aria-current]")?.focus({ preventScroll: true });
}

// One row a model: what its steps hold and what it answers, under the same intervention.
function drawModels(box, data, asked, id, chosen, intervention, choose) {
  const legend = box.querySelector("legend"), had = box.contains(document.activeElement);
  const rows = data.models.map((model) => {
    const trace = model.traces.find((one) => one.id === id), arm = model.arms.findIndex((one) => one.name === intervention);
    const input = make("input", { type: "radio", name: "model", value: model.name, disabled: !trace });
    input.checked = model.name === chosen;
    input.addEventListener("change", () => choose(model.name));
    const name = make("span", { class: "who" }, swatch(model), model.name);
    if (!trace) return make("label", { class: "row" }, input, name, make("span", { class: "quiet" }, "was not asked this"));
    if (arm < 0) return make("label", { class: "row" }, input, name, make("span", { class: "quiet" }, "has nothing of this kind to change"));
    const alone = unpacked(data, trace, 0), now = trace.answers[arm];
    const held = unpacked(data, trace, arm).map((step, i) => reading(model, asked, step, i, alone[i]));
    return make("label", { class: "row" }, input, name,
      make("span", { class: "held" }, ...held.map((one) => make("span", { class: one.right === null ? "mute" : one.right ? "holds" : "breaks", title: one.why }, one.text, "\u00a0", mark(one.right)))),
      make("span", { class: "says" }, make("span", { class: "quiet" }, "answers "), saying(asked, now), "\u00a0", mark(now.right)));
  });
  box.replaceChildren(legend, ...rows);
  if (had) box.querySelector("input:checked")?.focus({ preventScroll: true });
}
