// Draws the picture patch by patch. Patches stand apart, and whatever points at one is drawn in the
// gap around it: no frame covers a mark.

const WIDTH = 400; // units of the drawing, whatever its size in pixels
const GAP = 14; // between patches
const FAINT = 0.33; // of a patch that is not attended to at all
const APART = 100; // patches at most that are set apart; more are drawn as one picture

function drawPicture(box, asked, steps, at, shown, scale) {
  if (!asked.picture) {
    box.replaceChildren(make("p", {}, "This question has no picture."));
    return;
  }
  const step = steps[at], [rows, columns] = step.grid;
  if (!rows || !columns) { // tiles: its patches lie in no one grid, so none can be pointed at
    box.replaceChildren(make("img", { src: asked.picture, alt: "The picture that is asked about" }));
    return;
  }
  const gap = rows * columns > APART ? 0 : GAP, [pw, ph] = asked.size;
  const w = (WIDTH - (columns + 1) * gap) / columns, h = (w * (ph / rows)) / (pw / columns);
  const height = rows * h + (rows + 1) * gap;
  const left = (cell) => gap + (cell % columns) * (w + gap), top = (cell) => gap + Math.floor(cell / columns) * (h + gap);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${height.toFixed(2)}`, role: "img", "aria-label": inWords(asked, step) });
  for (let cell = 0; cell < rows * columns; cell += 1) {
    const a = shown.attention && step.attention ? step.attention[cell] : null;
    const column = cell % columns, row = Math.floor(cell / columns);
    const tile = draw("svg", {
      class: "patch", x: left(cell), y: top(cell), width: w, height: h, preserveAspectRatio: "none",
      viewBox: `${(column * pw) / columns} ${(row * ph) / rows} ${pw / columns} ${ph / rows}`,
      opacity: a === null ? 1 : (FAINT + (1 - FAINT) * Math.min(1, a / scale)).toFixed(3),
    }, draw("image", { href: asked.picture, width: pw, height: ph, preserveAspectRatio: "none" }));
    const told = a === null ? "" : `: ${percent(a)} of all attention`;
    tile.append(draw("title", {}, `patch ${cell + 1}${told}`));
    svg.append(tile);
  }
  // Each patch owns half of the gap around it: picks take the inner lane, the true cells the outer.
  const frame = (cell, out, kind) => draw("rect", { x: left(cell) - out, y: top(cell) - out, width: w + 2 * out, height: h + 2 * out, class: `frame ${kind}` });
  const lane = gap ? [2.2, 5.2] : [0, 0];
  if (shown.picks) {
    const now = (step.picks || []).filter((cell) => cell >= 0);
    const used = new Set(steps.slice(0, at).flatMap((one) => one.picks || []).filter((cell) => cell >= 0));
    for (const cell of used) if (!now.includes(cell)) svg.append(frame(cell, lane[0], "used"));
    for (const cell of now) svg.append(frame(cell, lane[0], shown.replaced ? "pick replaced" : "pick"));
  }
  if (shown.truth && step.read !== null) {
    svg.append(frame(step.named, lane[1], "truth named"), frame(step.read, lane[1], "truth read"));
    if (gap) {
      const grid = (cell) => [left(cell) - gap / 2, top(cell) - gap / 2, w + gap, h + gap];
      svg.append(...route(grid(step.read), grid(step.named)));
    }
  }
  box.replaceChildren(svg);
}

// From the cell to read to the one it names, along the gaps between patches.
function route([x1, y1, w, h], [x2, y2]) {
  const from = [x2 > x1 ? x1 + w : x1, y2 > y1 ? y1 + h : y1], to = [x2 < x1 ? x2 + w : x2, y2 < y1 ? y2 + h : y2];
  if (x1 === x2) from[0] = to[0] = x1;
  if (y1 === y2) from[1] = to[1] = y1;
  const across = to[0] - from[0], down = to[1] - from[1];
  if (!across && !down) return [];
  const [dx, dy] = down ? [0, Math.sign(down)] : [Math.sign(across), 0];
  const [bx, by] = [to[0] - 10 * dx, to[1] - 10 * dy];
  const points = `${to[0]},${to[1]} ${bx - 5 * dy},${by + 5 * dx} ${bx + 5 * dy},${by - 5 * dx}`;
  const line = `M${from[0]} ${from[1]}H${down ? to[0] : bx}V${down ? by : to[1]}`;
  return [draw("path", { d: line, class: "route" }), draw("polygon", { points, class: "tip" })];
}

// What the drawing shows, for those who cannot see it.
function inWords(asked, step) {
  const parts = [];
  if (step.attention) {
    const order = step.attention.map((a, cell) => [a, cell]).sort((one, other) => other[0] - one[0]);
    parts.push("Most attended patches: " + order.slice(0, 3).map(([a, cell]) => `${cell + 1} (${percent(a)} of all attention)`).join(", "));
  }
  if (step.picks) parts.push("shown again: " + patches(step.picks));
  if (step.read !== null) parts.push(`cell to read: ${step.read + 1}, it names cell ${step.named + 1}`);
  return `The picture that is asked about. ${parts.join("; ") || "Nothing to mark"}`;
}

function patches(picks) {
  const there = picks.filter((cell) => cell >= 0).map((cell) => cell + 1);
  return (there.length === 1 ? "patch " : "patches ") + (there.join(" and ") || "none");
}
