// The overview: reads the columnar data, filters, sorts and draws one page of questions. Text from
// data only ever becomes text nodes and attributes.

const OV_ROWS = 50; // questions on one page of the table
const OV_COLUMNS = 6; // columns that are shown at first
const OV_SHORT = 18; // characters of an option that fit into a cell

// One body of data as the table needs it.
function overviewSet(set, texts) {
  const { id, text, choices, gold, options, domain, hops } = set.questions;
  const starts = (column) => {
    let at = 0;
    return Array.from(column.cells, (cell, i) => {
      const start = at;
      if (cell !== " ") at += options[i];
      return start;
    });
  };
  const columns = set.columns.map((column, at) => ({ ...column, at, starts: starts(column) }));
  for (const column of columns) {
    const same = (one) => one.model === column.model && one.arm === column.arm && one.cells === column.cells;
    column.base = columns.find((one) => one.run === column.run && one.model === column.model && one.arm === "none");
    column.again = columns.slice(0, column.at).some(same); // another run told the same
  }
  const reply = (column, i) => (column.texts[i] < 0 ? "" : texts[column.texts[i]]);
  const outcome = (column, i) => {
    const cell = column.cells[i];
    if (cell === " ") return "";
    if (cell === "-") return "unread";
    if (cell === "?") return "unscored";
    return cell === cell.toUpperCase() ? "right" : "wrong";
  };
  return {
    ...set.questions, columns, n: id.length, reply, outcome,
    several: new Set(columns.map((column) => column.run)).size > 1,
    option: (column, i) => (/[A-Za-z]/.test(column.cells[i]) ? column.cells[i].toUpperCase().charCodeAt(0) - 65 : null),
    changed(column, i) {
      const base = column.base;
      if (!base || base === column || [column.cells[i], base.cells[i]].includes(" ")) return false;
      if (column.cells[i] === "?") return reply(column, i) !== reply(base, i);
      return column.cells[i].toUpperCase() !== base.cells[i].toUpperCase();
    },
    logprobs: (column, i) => (column.cells[i] === " " ? [] : column.logprobs.slice(column.starts[i], column.starts[i] + options[i])),
    asked: (i) => text[i] || id[i],
    name: (i, option) => (choices[i] ? choices[i][option] : ""),
    right: (i) => (choices[i] && gold[i] !== null ? choices[i][gold[i]] : ""),
    domains: [...new Set(domain)].filter(Boolean).sort(),
    hopCounts: [...new Set(hops)].filter((n) => n !== null).sort((a, b) => a - b),
    words(i) {
      return [id[i], text[i] || "", ...(choices[i] || []), ...columns.map((column) => reply(column, i))].join("\n").toLowerCase();
    },
  };
}

const OV_ORDER = { wrong: 0, unread: 1, unscored: 2, right: 3, "": 4 };

// Which questions pass, in which order.
function overviewRows(set, state, visible) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const among = state.column === "" ? visible : [set.columns[state.column]];
  const answered = {
    "": () => true,
    changed: (i) => among.some((column) => set.changed(column, i)),
  };
  const passes = answered[state.outcome] || ((i) => among.some((column) => set.outcome(column, i) === state.outcome));
  const rows = [];
  for (let i = 0; i < set.n; i += 1) {
    if (state.domain && set.domain[i] !== state.domain) continue;
    if (state.hops && String(set.hops[i]) !== state.hops) continue;
    if (!passes(i)) continue;
    if (words.length) {
      const said = set.words(i);
      if (!words.every((word) => said.includes(word))) continue;
    }
    rows.push(i);
  }
  const key = {
    question: (i) => set.asked(i).toLowerCase(), domain: (i) => set.domain[i] || "",
    hops: (i) => set.hops[i] ?? -1, right: (i) => set.right(i).toLowerCase(),
  }[state.sort] || (state.sort === "" ? null : (i) => OV_ORDER[set.outcome(set.columns[state.sort], i)]);
  if (!key) return rows;
  const keyed = rows.map((i) => [key(i), i]);
  keyed.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : 0) * state.way || i - j);
  return keyed.map(([, i]) => i);
}

const signed = (x) => (x < 0 ? "−" : x > 0 ? "+" : "") + Math.abs(x).toFixed(1);

// Wilson's interval of a share.
function wilson(right, n) {
  const z = 1.959964, p = right / n, scale = 1 + (z * z) / n, middle = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

// What stands in the head of a column: accuracy and its change, over what is shown.
function overviewTotal(set, column, rows) {
  const whole = rows.length === set.n, told = column.total, line = [];
  const scored = rows.filter((i) => ["right", "wrong", "unread"].includes(set.outcome(column, i)));
  const isRight = (one, i) => set.outcome(one, i) === "right";
  const right = scored.filter((i) => isRight(column, i)).length;
  if (!scored.length) return [["", "nothing is scored"]];
  const accuracy = whole ? told.accuracy : right / scored.length;
  const [low, high] = whole ? [told.accuracy_low, told.accuracy_high] : wilson(right, scored.length);
  const text = (values) => `[${values.map((x) => (100 * x).toFixed(1)).join(", ")}]`;
  line.push([`${(100 * accuracy).toFixed(1)} %`, ` ${text([low, high])}`]);
  if (column.base && column.base !== column) {
    const pairs = scored.filter((i) => column.base.cells[i] !== " ");
    const change = whole && told.delta !== null ? told.delta : pairs.reduce((sum, i) => sum + isRight(column, i) - isRight(column.base, i), 0) / pairs.length;
    const ends = whole && told.delta_low !== null ? ` [${[told.delta_low, told.delta_high].map((x) => signed(100 * x)).join(", ")}]` : "";
    line.push([signed(100 * change), `${ends} points`]);
    line.push(["", `${rows.filter((i) => set.changed(column, i)).length} answers changed`]);
  } else {
    line.push(["", `${right} of ${scored.length} right`]);
  }
  const unread = rows.filter((i) => set.outcome(column, i) === "unread").length;
  if (unread) line.push(["", `${unread} name no option`]);
  return line;
}
