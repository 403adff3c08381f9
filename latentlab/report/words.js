// The question on the stage as models answer it that write: one row a model, its calls as pills with
// the pictures that they show, and what it answers.

const LONG = 280; // letters of a reply that is shown whole; longer ones fold

// A tick or a cross beside the name of an object, which is also said.
function onWalk(right) {
  const label = right ? "on the true walk" : "off the true walk";
  return make("span", { class: right ? "mark-right" : "mark-wrong", role: "img", "aria-label": label, title: label }, right ? "✓" : "✗");
}

const pieces = (said) => said.map((piece) => (typeof piece === "string" ? piece : make("span", { class: "object" }, piece[0], "\u00a0", onWalk(piece[1]))));

function drawSaid(said, first) {
  if (!said.length) return make("span", { class: "quiet" }, first ? "nothing before its answer" : "its answer");
  const whole = said.map((piece) => (typeof piece === "string" ? piece : piece[0])).join("");
  if (whole.length <= LONG) return make("span", { class: "words-said" }, ...pieces(said));
  return make("details", {}, make("summary", {}, whole.slice(0, LONG / 2) + "…"), make("span", { class: "words-said" }, ...pieces(said)));
}

function drawCall(data, call, number) {
  const shown = call.pictures.map((place, i) => make("img", { src: data.pictures[place], alt: `Picture ${i + 1} that this call shows` }));
  return make("li", {}, make("small", {}, call.name), ...shown, drawSaid(call.said, !number));
}

function drawWords(box, data, asked, id) {
  box.hidden = !data.written.length;
  box.querySelector("ul").replaceChildren(...data.written.map((model) => {
    const answer = model.answers[id];
    const who = make("span", { class: "who" }, swatch({ name: model.model, colour: model.colour }), model.name);
    if (!answer) return make("li", {}, who, make("span", { class: "quiet" }, "was not asked this"));
    const says = make("p", { class: "says" }, make("span", { class: "quiet" }, "answers "), make("b", {}, saying(asked, answer)), "\u00a0", mark(answer.right));
    const cost = make("p", { class: "quiet" }, answer.cost, answer.failed ? `; failed: ${answer.failed}` : "");
    const calls = make("ol", { class: "calls", "aria-label": `Calls of ${model.name}` }, ...answer.calls.map((call, i) => drawCall(data, call, i)));
    return make("li", {}, make("div", {}, who, make("p", { class: "quiet" }, model.paper)), calls, make("div", {}, says, cost));
  }));
}
