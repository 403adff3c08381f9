// Chooses what is on the stage: filters, list, keys, and an address that can be shared.

const HASH = ["model", "example", "step", "intervention", "search", "domain", "outcome", "necessity", "flips"];

const NECESSARY = { needed: "wrong with its slots empty", harmful: "right only with its slots empty" };
const necessary = (label) => NECESSARY[label] || label || "";

function startViewer(data) {
  const $ = (id) => document.getElementById(id);
  const state = { model: data.models[0].name, example: "", step: 1, intervention: "none", search: "", domain: "", outcome: "", necessity: "", flips: "" };
  let shown = []; // traces that pass the filters, in order
  let saving = 0;

  const model = () => data.models.find((one) => one.name === state.model);
  const armIndex = () => Math.max(model().arms.findIndex((arm) => arm.name === state.intervention), 0);
  const trace = () => shown.find((one) => one.id === state.example);
  const flipped = (one) => one.answers[0].choice !== one.answers[armIndex()].choice;

  function fill(select, values, all, words = (value) => value) {
    const kept = values.filter(Boolean);
    select.replaceChildren(...[["", all], ...kept.map((v) => [v, words(v)])].filter(([, text]) => text)
      .map(([value, text]) => make("option", { value }, text)));
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
    const all = model().traces.length;
    $("count").textContent = `${shown.length} of ${all} questions`;
    $("list").replaceChildren(...shown.map((one) => {
      const asked = data.examples[one.id], right = one.answers[0].right;
      const button = make("button", { type: "button", "data-example": one.id },
        make("span", { class: right ? "mark-right" : "mark-wrong", role: "img", "aria-label": right ? "right" : "wrong" }, right ? "✓" : "✗"),
        make("span", {}, asked.question),
        make("small", {}, [asked.domain, necessary(one.necessity)].filter(Boolean).join(", ")));
      button.addEventListener("click", () => go({ example: one.id, step: 1 }));
      return make("li", {}, button);
    }));
  }

  function markCurrent() {
    const list = $("list"), hadFocus = list.contains(document.activeElement);
    for (const button of list.querySelectorAll("button")) {
      const current = button.dataset.example === state.example;
      if (!current) { button.removeAttribute("aria-current"); continue; }
      button.setAttribute("aria-current", "true");
      const top = button.parentElement.offsetTop - list.offsetTop, bottom = top + button.offsetHeight;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
      if (hadFocus) button.focus({ preventScroll: true });
    }
  }

  function drawStage() {
    const one = trace();
    $("stage").classList.toggle("empty", !one);
    $("place").textContent = one ? `${shown.indexOf(one) + 1} of ${shown.length}` : "none";
    if (!one) {
      $("asked").textContent = "No question passes these filters.";
      for (const id of ["tags", "path", "picture", "reading", "options", "said"]) $(id).replaceChildren();
      return;
    }
    const asked = data.examples[one.id], at = Math.min(Math.max(state.step, 1), one.steps.length) - 1;
    state.step = at + 1;
    $("asked").textContent = asked.question;
    const alone = one.answers[0];
    $("tags").replaceChildren(
      make("span", { class: alone.right ? "mark-right" : "mark-wrong" }, alone.right ? "answered right" : "answered wrong"),
      ...[[asked.domain, asked.topic].filter(Boolean).join(", "), necessary(one.necessity), one.id]
        .filter(Boolean).map((text) => make("span", {}, text)));
    drawPath(asked, one, at);
    const on = (id) => $(id).checked;
    drawPicture($("picture"), asked, one.steps[at], { attention: on("show-attention"), picks: on("show-picks"), truth: on("show-truth") });
    $("key-picks").hidden = !one.steps[at].picks;
    $("key-truth").hidden = one.steps[at].cell_read === null;
    drawReading($("reading"), asked, one, at, model().probes);
    const arms = model().arms, now = one.answers[armIndex()];
    drawOptions($("options"), asked, alone, now);
    $("said").textContent = sentence(asked, armIndex() ? arms[armIndex()] : null, alone, now);
  }

  function drawPath(asked, one, at) {
    const stations = one.steps.map((step, i) => {
      const button = make("button", { type: "button", "aria-current": i === at ? "step" : null },
        `${i + 1} `, asked.path[i + 1] || "latent step");
      button.addEventListener("click", () => go({ step: i + 1 }));
      return make("li", {}, button);
    });
    const station = (text) => make("li", {}, make("span", {}, text));
    const ends = asked.path.slice(one.steps.length + 1).map(station);
    $("path").replaceChildren(...(asked.path.length ? [station(asked.path[0])] : []), ...stations, ...ends);
  }

  // Interventions to choose from; a control is reached through what it controls.
  function drawArms() {
    const arms = model().arms, fieldset = $("arms"), legend = fieldset.querySelector("legend");
    fieldset.replaceChildren(legend, ...arms.filter((arm) => !arm.control_of).map((arm) => {
      const input = make("input", { type: "radio", name: "arm", value: arm.name });
      input.addEventListener("change", () => go({ intervention: arm.name }));
      return make("label", {}, input, make("span", {}, capital(arm.said)));
    }));
  }

  function markArm() {
    const arms = model().arms, chosen = arms[armIndex()];
    state.intervention = chosen.name;
    const main = chosen.control_of || chosen.name, control = arms.find((arm) => arm.control_of === main);
    for (const input of $("arms").querySelectorAll("input")) input.checked = input.value === main;
    $("control").hidden = !control;
    $("as-control").checked = Boolean(chosen.control_of);
    if (control) $("control").querySelector("span").textContent = `its matched control instead: ${control.said}`;
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
    clearTimeout(saving);
    saving = setTimeout(save, 150);
  }

  function save() {
    const kept = new URLSearchParams(HASH.filter((name) => state[name] !== "").map((name) => [name, state[name]]));
    try { history.replaceState(null, "", "#" + kept); } catch { /* a browser may refuse; the page works without */ }
  }

  // What the address says, as far as it makes sense here.
  function fromHash() {
    if (!location.hash.includes("=")) return null;
    const told = new URLSearchParams(location.hash.slice(1)), found = {};
    for (const name of HASH) if (told.has(name)) found[name] = name === "step" ? Number(told.get(name)) || 1 : told.get(name);
    if (found.model && !data.models.some((one) => one.name === found.model)) delete found.model;
    for (const name of ["model", "search", "domain", "outcome", "necessity"]) if (name in found) $(name).value = found[name];
    if ("flips" in found) $("flips").checked = Boolean(found.flips);
    return found;
  }

  function fillFilters() {
    const asked = model().traces.map((one) => data.examples[one.id].domain);
    fill($("domain"), [...new Set(asked)].sort(), "any");
    fill($("necessity"), [...new Set(model().traces.map((one) => one.necessity || ""))].sort(), "any", necessary);
    state.domain = state.necessity = "";
    drawArms();
  }

  function move(by) {
    const next = shown.indexOf(trace()) + by;
    if (next >= 0 && next < shown.length) go({ example: shown[next].id, step: 1 });
  }

  const keys = { ArrowRight: () => go({ step: state.step + 1 }), ArrowLeft: () => go({ step: state.step - 1 }), ArrowDown: () => move(1), ArrowUp: () => move(-1) };
  $("viewer").addEventListener("keydown", (event) => {
    const typing = event.target.matches("select, input[type=search], input[type=radio]");
    if (typing || event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  $("previous").addEventListener("click", () => move(-1));
  $("next").addEventListener("click", () => move(1));
  for (const name of ["search", "domain", "outcome", "necessity", "model"]) $(name).addEventListener("input", () => go({ [name]: $(name).value }));
  $("flips").addEventListener("change", () => go({ flips: $("flips").checked ? "yes" : "" }));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["attention", "picks", "truth"]) $(`show-${name}`).addEventListener("change", drawStage);
  $("as-control").addEventListener("change", () => {
    const chosen = model().arms[armIndex()], main = chosen.control_of || chosen.name;
    const control = model().arms.find((arm) => arm.control_of === main);
    go({ intervention: $("as-control").checked ? control.name : main });
  });
  window.addEventListener("hashchange", () => { const told = fromHash(); if (told) go(told); });

  fill($("model"), data.models.map((one) => one.name), "");
  const told = fromHash();
  if (told && told.model) state.model = told.model;
  fillFilters();
  go({ ...fromHash() });
  if (told) $("viewer").scrollIntoView({ behavior: "instant" });
}

const recorded = document.getElementById("data");
if (recorded) startViewer(JSON.parse(recorded.textContent));
