// One question in full: its options, and what each run replied and found likely.

function overviewDialog($, data, shown, closed) {
  const dialog = $("dialog");
  let at = 0;

  function draw() {
    const { set, rows } = shown(), i = rows[at], gold = set.gold[i];
    $("at").textContent = `${at + 1} of ${rows.length}`;
    $("previous").disabled = at === 0;
    $("next").disabled = at === rows.length - 1;
    $("asked").textContent = set.asked(i);
    const facts = [set.domain[i], set.topic[i], set.hops[i] === null ? "" : `${set.hops[i]} ${set.hops[i] === 1 ? "hop" : "hops"}`, set.id[i]];
    $("tags").replaceChildren(...facts.filter(Boolean).map((text) => make("span", {}, text)));
    const choices = set.choices[i] || [];
    $("options").replaceChildren(...choices.map((text, k) =>
      make("li", { class: k === gold ? "ov-gold" : null }, make("b", {}, letter(k)), text, k === gold ? make("span", { class: "ov-hidden" }, " (right)") : null)));
    const letters = Array.from({ length: set.options[i] }, (_, k) => letter(k));
    $("answers-head").replaceChildren(make("tr", {},
      ...["Run", "Answer", "Reply"].map((text) => make("th", { scope: "col" }, text)),
      ...letters.map((text) => make("th", { scope: "col", class: "n" }, text))));
    $("answers").replaceChildren(...set.columns.filter((column) => !column.again && set.outcome(column, i)).map((column) => line(set, column, i, gold)));
  }

  function line(set, column, i, gold) {
    const outcome = set.outcome(column, i), option = set.option(column, i), values = set.logprobs(column, i);
    const most = Math.max(...values.filter((value) => value !== null));
    const numbers = values.map((value, k) => make("td", { class: `n${value === most ? " ov-most" : ""}${k === gold ? " ov-gold" : ""}` },
      value === null ? "–" : (value < 0 ? "−" : "") + Math.abs(value / 100).toFixed(2)));
    const answer = option === null ? OV_SAID[outcome] : set.name(i, option) || letter(option);
    return make("tr", {},
      make("th", { scope: "row" }, make("strong", {}, column.model), ` ${column.said}`, make("small", {}, set.several ? column.run : ""), watch(column, set.id[i])),
      make("td", { class: set.changed(column, i) ? "ov-changed" : null }, ...overviewMark(outcome), ` ${answer}`),
      make("td", { class: "ov-reply" }, set.reply(column, i)), ...numbers);
  }

  // A link to the recording in the viewer, where there is one of this question.
  function watch(column, example) {
    if (column.arm !== "none" || !(data.watched[column.model] || []).includes(example)) return null;
    const link = make("a", { href: `#${new URLSearchParams({ model: column.model, example })}` }, "watch its latent steps");
    link.addEventListener("click", () => {
      dialog.close();
      const viewer = document.getElementById("viewer");
      if (viewer) setTimeout(() => viewer.scrollIntoView({ behavior: "instant" }), 0);
    });
    return make("small", {}, link);
  }

  function move(by) {
    const next = at + by;
    if (next < 0 || next >= shown().rows.length) return;
    at = next;
    draw();
  }

  $("previous").addEventListener("click", () => move(-1));
  $("next").addEventListener("click", () => move(1));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { if (!location.hash.includes("example=")) closed(shown().rows[at]); });
  dialog.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest(".ov-scroll")) return; // there arrows scroll
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); move(by); }
  });

  return (question) => {
    at = shown().rows.indexOf(question);
    draw();
    dialog.showModal();
    dialog.scrollTop = 0;
  };
}

const overviewAnswers = document.getElementById("overview-data");
if (overviewAnswers) startOverview(JSON.parse(overviewAnswers.textContent));
