// Chooses what is on the stage: filters, list, keys, and an address that can be shared.

const HASH = ["model", "example", "step", "intervention", "search", "domain", "outcome", "necessity", "flips"];

const NECESSARY = { needed: "wrong with its slots empty", harmful: "right only with its slots empty" };
const necessary = (label) => NECESSARY[label] || label || "";

function startViewer(data) {
  const $ = (id) => document.getElementById(id);
  const first = data.opening;
  const state = { model: first.model, example: first.example, step: 1, intervention: "none", search: "", domain: "", outcome: "", necessity: "", flips: "" };
  let shown = []; // traces that pass the filters, in order
  let saving = 0;

  const model = () => data.models.find((one) => one.name === state.model);
  const armIndex = () => Math.max(model().arms.findIndex((arm) => arm.name === state.intervention), 0);
  const trace = () => shown.find((one) => one.id === state.example);
  const flipped = (one) => one.answers[0].choice !== one.answers[armIndex()].choice;

  function fill(select, values, all, words = (value) => value) {
    const kept = values.filter(Boolean);
    select.replaceChildren(...[["", all], ...kept.map((v) => [v, words(v)])].map(([value, text]) => make("option", { value }, text)));
    select.closest("label").hidden = kept.length < 2;
  }

  function passes(one) {
    const asked = data.examples[one.id];
    const text = [one.id, asked.question, ...asked.choices, asked.topic].join("\n").toLowerCase();
    return state.search.toLowerCase().split(/\s+/).every((word) => text.includes(word))
      && (!state.domain || asked.domain === state.domain)
      && (!state.outcome || one.answers[0].right === (state.outcome === "right"))
      && (!state.necessity || one.necessity === state.necessity)
      && (!state.flips || flipped(one));
  }

  function drawList() {
    shown = model().traces.filter(passes);
    if (!trace()) state.example = shown.length ? shown[0].id : "";
    $("count").textContent = `${shown.length} of ${model().traces.length} questions`;
    $("list").replaceChildren(...shown.map((one) => {
      const asked = data.examples[one.id];
      const button = make("button", { type: "button", tabindex: -1, "data-example": one.id }, mark(one.answers[0].right),
        make("span", {}, asked.question),
        make("small", {}, [asked.domain, necessary(one.necessity)].filter(Boolean).join(", ")));
      button.addEventListener("click", () => act({ example: one.id, step: 1 }));
      return make("li", {}, button);
    }));
  }

  // The list is one tab stop: that of the question on the stage.
  function markCurrent() {
    const list = $("list"), had = list.contains(document.activeElement);
    for (const button of list.querySelectorAll("button")) {
      const current = button.dataset.example === state.example;
      button.tabIndex = current ? 0 : -1;
      if (!current) { button.removeAttribute("aria-current"); continue; }
      button.setAttribute("aria-current", "true");
      const top = button.parentElement.offsetTop - list.offsetTop, bottom = top + button.offsetHeight;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
      if (had) button.focus({ preventScroll: true });
    }
  }

  function drawStage() {
    const one = trace();
    $("stage").classList.toggle("empty", !one);
    $("place").textContent = one ? `${shown.indexOf(one) + 1} of ${shown.length}` : "none";
    if (!one) {
      $("asked").textContent = "No question passes these filters.";
      $("written").hidden = true;
      for (const id of ["tags", "path", "picture", "reading", "options", "said", "moment"]) $(id).replaceChildren();
      return;
    }
    const asked = data.examples[one.id], arms = model().arms, alone = unpacked(data, one, 0);
    const steps = armIndex() ? unpacked(data, one, armIndex()) : alone;
    const at = Math.min(Math.max(state.step, 1), steps.length) - 1;
    state.step = at + 1;
    $("asked").textContent = asked.question;
    const before = one.answers[0], now = one.answers[armIndex()];
    $("tags").replaceChildren(
      make("span", { class: before.right ? "mark-right" : "mark-wrong" }, `${model().name} answers ${before.right ? "right" : "wrong"}`),
      ...[[asked.domain, asked.topic].filter(Boolean).join(", "), necessary(one.necessity), one.id]
        .filter(Boolean).map((text) => make("span", {}, text)));
    drawPath($("path"), asked, model(), steps, alone, at, now, (step) => act({ step }));
    const on = (id) => $(id).checked;
    drawPicture($("picture"), asked, steps, at, { attention: on("show-attention"), picks: on("show-picks"), truth: on("show-truth"), replaced: arms[armIndex()].overwritten }, data.scale);
    $("key-attention").hidden = !steps.some((step) => step.attention);
    for (const id of ["key-picks", "key-used"]) $(id).hidden = !steps.some((step) => step.picks);
    $("picks-are").textContent = arms[armIndex()].overwritten ? "picked, but replaced" : "shown again";
    $("key-picks").classList.toggle("replaced", arms[armIndex()].overwritten);
    $("key-truth").hidden = steps[at].read === null;
    drawReading($("reading"), asked, model(), arms[armIndex()], steps, alone, at);
    drawOptions($("options"), asked, before, now);
    const held = steps.map((step, i) => reading(model(), asked, step, i, alone[i]));
    const said = sentence(asked, armIndex() ? arms[armIndex()] : null, before, now, held);
    if ($("said").textContent !== said) $("said").textContent = said; // so that it is said once
    $("moment").textContent = stepped(asked, arms[armIndex()], held, at);
    drawModels($("beside"), data, asked, one.id, state.model, state.intervention, (name) => act({ model: name }));
    $("beside").hidden = data.models.length < 2;
    drawWords($("written"), data, asked, one.id);
    $("link").href = "#" + address();
  }

  // Interventions to choose from: as buttons, on narrow screens as a list; what an intervention is
  // compared with, and its other rules of positions, are reached through it.
  function drawArms() {
    const arms = model().arms.filter((arm) => !arm.variant_of), fieldset = $("arms"), legend = fieldset.querySelector("legend");
    fieldset.replaceChildren(legend, ...arms.map((arm) => {
      const input = make("input", { type: "radio", name: "arm", value: arm.name });
      input.addEventListener("change", () => act({ intervention: arm.name }));
      return make("label", { title: capital(arm.said) }, input, make("span", {}, capital(arm.short)));
    }));
    $("arm").replaceChildren(...arms.map((arm) => make("option", { value: arm.name }, capital(arm.said))));
  }

  function markArm() {
    const arms = model().arms, chosen = arms[armIndex()];
    state.intervention = chosen.name;
    const main = chosen.variant_of || chosen.name, variants = arms.filter((arm) => arm.variant_of === main);
    for (const input of $("arms").querySelectorAll("input")) input.checked = input.value === main;
    $("arm").value = main;
    $("variants").hidden = !variants.length;
    $("variant").replaceChildren(make("option", { value: main }, "as it is"),
      ...variants.map((arm) => make("option", { value: arm.name }, (arm.control_of ? "matched control: " : "") + arm.short)));
    $("variant").value = chosen.name;
  }

  // The one way in which anything changes.
  function go(changes) {
    const old = { ...state };
    Object.assign(state, changes);
    const changed = (...names) => names.some((name) => old[name] !== state[name]);
    if (changed("model")) fillFilters();
    markArm();
    if (changed("model", "search", "domain", "outcome", "necessity", "flips") || !shown.length || (state.flips && changed("intervention"))) drawList();
    markCurrent();
    drawStage();
  }

  // A change by hand: it ends what plays, and the address follows.
  function act(changes) {
    play.stop();
    go(changes);
    clearTimeout(saving);
    saving = setTimeout(save, 150);
  }

  const address = () => String(new URLSearchParams(HASH.filter((name) => state[name] !== "").map((name) => [name, state[name]])));

  // An address that names a section or a figure is the reader's and stays.
  function save() {
    if (location.hash.length > 1 && !location.hash.includes("=")) return;
    try { history.replaceState(null, "", "#" + address()); } catch { /* a browser may refuse; the page works without */ }
  }

  // What the address says, as far as it makes sense here.
  function fromHash() {
    if (!location.hash.includes("=")) return null;
    const told = new URLSearchParams(location.hash.slice(1)), found = {};
    for (const name of HASH) if (told.has(name)) found[name] = name === "step" ? Number(told.get(name)) || 1 : told.get(name);
    if (!Object.keys(found).length) return null;
    if (found.model && !data.models.some((one) => one.name === found.model)) delete found.model;
    for (const name of ["search", "domain", "outcome", "necessity"]) if (name in found) $(name).value = found[name];
    if ("flips" in found) $("flips").checked = Boolean(found.flips);
    return found;
  }

  function fillFilters() {
    const asked = model().traces.map((one) => data.examples[one.id].domain);
    fill($("domain"), [...new Set(asked)].sort(), "any");
    fill($("necessity"), [...new Set(model().traces.map((one) => one.necessity || ""))].sort(), "any", necessary);
    for (const name of ["domain", "necessity"]) { $(name).value = state[name]; state[name] = $(name).value; }
    drawArms();
  }

  function move(by) {
    const next = shown.indexOf(trace()) + by;
    if (next >= 0 && next < shown.length) act({ example: shown[next].id, step: 1 });
  }

  // Left alone step by step, its answer, then the same under what is chosen or under the exchange.
  function frames() {
    const one = trace(), arms = model().arms, chosen = arms[armIndex()];
    if (!one) return [];
    const exchange = arms.find((arm) => arm.exchange) || arms[arms.length > 1 ? 1 : 0];
    const second = chosen.name === "none" ? exchange : chosen;
    return ["none", ...(second.name === "none" ? [] : [second.name])].flatMap((intervention) => {
      const steps = one.runs[0].map((_, i) => ({ intervention, step: i + 1, answered: false }));
      return [...steps, { intervention, step: steps.length, answered: true }];
    });
  }
  const play = player($("play"), $("stage"), frames, ({ intervention, step }) => go({ intervention, step }));

  const keys = { ArrowRight: () => act({ step: state.step + 1 }), ArrowLeft: () => act({ step: state.step - 1 }), ArrowDown: () => move(1), ArrowUp: () => move(-1) };
  $("viewer").addEventListener("keydown", (event) => {
    const typing = event.target.matches("select, input[type=search], input[type=radio]");
    if (typing || event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  $("previous").addEventListener("click", () => move(-1));
  $("next").addEventListener("click", () => move(1));
  for (const name of ["search", "domain", "outcome", "necessity"]) $(name).addEventListener("input", () => act({ [name]: $(name).value }));
  $("flips").addEventListener("change", () => act({ flips: $("flips").checked ? "yes" : "" }));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["attention", "picks", "truth"]) $(`show-${name}`).addEventListener("change", drawStage);
  for (const name of ["arm", "variant"]) $(name).addEventListener("input", () => act({ intervention: $(name).value }));
  window.addEventListener("hashchange", () => { const told = fromHash(); if (told) { play.stop(); go(told); } });

  $("scale-end").textContent = `${+(100 * data.scale).toPrecision(2)}\u00a0%`;
  const told = fromHash();
  Object.assign(state, told);
  fillFilters();
  go({});
  if (told) $("viewer").scrollIntoView({ behavior: "instant" });
}

const recorded = document.getElementById("data");
if (recorded) startViewer(JSON.parse(recorded.textContent));
