// Draws the overview and listens: filters, heads that sort, pages, rows that open.

const OV_MARKS = { right: "✓", wrong: "✗", unread: "–", unscored: "·", "": "" };
const OV_SAID = { right: "right", wrong: "wrong", unread: "names no option", unscored: "not scored", "": "not asked" };

function overviewMark(outcome) {
  const known = outcome === "right" || outcome === "wrong";
  return [make("b", { class: known ? `ov-${outcome}` : null, "aria-hidden": "true" }, OV_MARKS[outcome]),
    make("span", { class: "ov-hidden" }, `${OV_SAID[outcome]}: `)];
}

function startOverview(data) {
  const $ = (id) => document.getElementById(`ov-${id}`);
  const state = { set: "0", search: "", domain: "", hops: "", outcome: "", column: "", sort: "", way: 1, page: 0 };
  let set, visible, rows, drawn; // rows: what passes; drawn: which rows the table shows
  const open = overviewDialog($, data, () => ({ set, rows }), (i) => focusOn(i));

  function fill(select, pairs, all) {
    const values = all === null ? pairs : [["", all], ...pairs];
    select.replaceChildren(...values.map(([value, text]) => make("option", { value }, text)));
    select.closest("label").hidden = pairs.length < 2;
  }

  const title = (column) => [column.model, column.said, set.several ? `(${column.run})` : ""].filter(Boolean).join(" ");

  // Every model left alone, then interventions, as many as fit.
  function atFirst(columns) {
    const kept = new Set([...new Set([...columns.filter((column) => column.arm === "none"), ...columns])].slice(0, OV_COLUMNS));
    return columns.filter((column) => kept.has(column));
  }

  function takeSet() {
    set = overviewSet(data.sets[state.set], data.texts);
    visible = atFirst(set.columns.filter((column) => !column.control && !column.again));
    Object.assign(state, { domain: "", hops: "", column: "", sort: "", way: 1, page: 0 });
    fill($("domain"), set.domains.map((name) => [name, name]), "any");
    fill($("hops"), set.hopCounts.map((n) => [String(n), String(n)]), "any");
    $("columns").replaceChildren(...set.columns.map((column) => {
      const input = make("input", { type: "checkbox", value: String(column.at) });
      input.checked = visible.includes(column);
      input.addEventListener("change", takeColumns);
      return make("label", {}, input, make("span", {}, title(column)));
    }));
    nameColumns();
  }

  function takeColumns() {
    visible = [...$("columns").querySelectorAll("input:checked")].map((input) => set.columns[input.value]);
    if (state.column !== "" && !visible.includes(set.columns[state.column])) state.column = "";
    nameColumns();
    show();
  }

  function nameColumns() {
    fill($("column"), visible.map((column) => [String(column.at), title(column)]), "any that is shown");
    $("column").value = state.column;
    $("columns-count").textContent = `Columns: ${visible.length} of ${set.columns.length} shown`;
  }

  function head(key, text, attributes, ...more) {
    const button = make("button", { type: "button", "data-sort": key }, text);
    const way = state.sort !== key ? "none" : state.way > 0 ? "ascending" : "descending";
    return make("th", { scope: "col", "aria-sort": way, ...attributes }, button, ...more);
  }

  function drawHead() {
    const groups = [];
    for (const column of visible) {
      const name = set.several ? `${column.model} (${column.run})` : column.model;
      const last = groups[groups.length - 1];
      if (last && last.name === name) last.n += 1; else groups.push({ name, n: 1, first: column });
    }
    const lines = (column) => overviewTotal(set, column, rows).map(([strong, rest]) => make("small", {}, make("b", {}, strong), rest));
    const facts = drawnFacts();
    const cells = visible.map((column) => {
      const more = column.draws > 1 ? [make("small", {}, `first of ${column.draws} draws`)] : [];
      const first = groups.some((group) => group.first === column);
      return head(String(column.at), column.said, { class: first ? "ov-head ov-first" : "ov-head" }, ...lines(column), ...more);
    });
    $("head").replaceChildren(
      make("tr", {}, head("question", "Question", { rowspan: 2 }),
        ...facts.map(([key, text]) => head(key, text, { rowspan: 2, class: "ov-fact" })),
        ...groups.map((group) => make("th", { scope: "colgroup", colspan: group.n, class: "ov-group" }, group.name))),
      make("tr", {}, ...cells));
  }

  // Facts of a question that have a column of their own, where there is more than one value.
  const drawnFacts = () => [
    ...(set.domains.length > 1 ? [["domain", "Domain", (i) => set.domain[i]]] : []),
    ...(set.hopCounts.length > 1 ? [["hops", "Hops", (i) => set.hops[i]]] : []),
    ...(set.gold.some((gold) => gold !== null) ? [["right", "Right answer", (i) => set.right(i)]] : []),
  ];

  function cellOf(column, i, first) {
    const outcome = set.outcome(column, i), option = set.option(column, i), changed = set.changed(column, i);
    const name = option === null ? "" : set.name(i, option);
    const shown = option === null ? (outcome === "unread" || outcome === "unscored" ? set.reply(column, i) : "") : name && name.length <= OV_SHORT ? name : letter(option);
    return make("td", { class: `ov-cell${changed ? " ov-changed" : ""}${first ? " ov-first" : ""}`, title: set.reply(column, i) || null },
      ...overviewMark(outcome), shown, changed ? make("span", { class: "ov-hidden" }, ", changed") : null);
  }

  function drawBody() {
    drawn = rows.slice(state.page * OV_ROWS, (state.page + 1) * OV_ROWS);
    const facts = drawnFacts();
    const first = visible.map((column, k) => !k || visible[k - 1].model !== column.model || visible[k - 1].run !== column.run);
    $("body").replaceChildren(...drawn.map((i, k) => {
      const button = make("button", { type: "button", class: "ov-ask", tabindex: k ? "-1" : "0", "data-question": String(i) }, set.asked(i));
      return make("tr", {}, make("th", { scope: "row" }, button),
        ...facts.map(([, , value]) => make("td", { class: "ov-cell ov-fact" }, String(value(i) ?? ""))),
        ...visible.map((column, c) => cellOf(column, i, first[c])));
    }));
    if (!rows.length) $("body").replaceChildren(make("tr", {}, make("td", { class: "ov-empty", colspan: facts.length + 1 + visible.length }, "No question passes these filters.")));
    const from = state.page * OV_ROWS;
    $("place").textContent = rows.length ? `${from + 1} to ${from + drawn.length} of ${rows.length}` : "";
    $("before").disabled = !state.page;
    $("after").disabled = from + OV_ROWS >= rows.length;
    document.querySelector(".ov-pager").hidden = rows.length <= OV_ROWS;
  }

  function show() {
    rows = overviewRows(set, state, visible);
    state.page = Math.min(state.page, Math.max(0, Math.ceil(rows.length / OV_ROWS) - 1));
    $("count").textContent = rows.length === set.n ? `${set.n} questions` : `${rows.length} of ${set.n} questions`;
    drawHead();
    drawBody();
  }

  const asks = () => [...$("body").querySelectorAll(".ov-ask")];
  function focusAt(k) {
    const all = asks();
    if (!all[k]) return;
    for (const one of all) one.tabIndex = -1;
    all[k].tabIndex = 0;
    all[k].focus();
  }
  function focusOn(i) {
    const page = Math.floor(rows.indexOf(i) / OV_ROWS);
    if (page !== state.page) { state.page = page; drawBody(); }
    focusAt(drawn.indexOf(i));
  }
  function turn(by, k) {
    if (by < 0 ? !state.page : (state.page + 1) * OV_ROWS >= rows.length) return;
    state.page += by;
    drawBody();
    if (k !== undefined) focusAt(k < 0 ? drawn.length - 1 : k);
  }

  $("head").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const key = button.dataset.sort, again = state.sort === key;
    if (again && state.way < 0) Object.assign(state, { sort: "", way: 1 }); // the third click undoes
    else Object.assign(state, { sort: key, way: again ? -1 : 1 });
    state.page = 0;
    show();
    $("head").querySelector(`button[data-sort="${key}"]`).focus();
  });
  $("body").addEventListener("click", (event) => {
    const row = event.target.closest("tr"), button = row && row.querySelector(".ov-ask");
    if (button && !String(getSelection())) open(Number(button.dataset.question));
  });
  $("body").addEventListener("keydown", (event) => {
    const all = asks(), k = all.indexOf(event.target);
    if (k < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const keys = {
      ArrowDown: () => (k + 1 < all.length ? focusAt(k + 1) : turn(1, 0)), ArrowUp: () => (k ? focusAt(k - 1) : turn(-1, -1)),
      Home: () => focusAt(0), End: () => focusAt(all.length - 1), PageDown: () => turn(1, 0), PageUp: () => turn(-1, 0),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  $("before").addEventListener("click", () => turn(-1));
  $("after").addEventListener("click", () => turn(1));
  for (const name of ["search", "domain", "hops", "outcome", "column"]) {
    $(name).addEventListener("input", () => { state[name] = $(name).value; state.page = 0; show(); });
  }
  $("set").addEventListener("input", () => { state.set = $("set").value; takeSet(); show(); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());

  fill($("set"), data.sets.map((one, k) => [String(k), one.name]), null);
  takeSet();
  show();
  document.getElementById("ov").hidden = false;
}
