// What the tests of the viewer do and read in the page.
const $ = (id) => document.getElementById(id), text = (id) => $(id).textContent;
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const press = (key, where = $("stage")) => where.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const choose = (id, value) => { $(id).value = value; $(id).dispatchEvent(new Event("input")); };
const options = () => all("#options li").map((li) => parseFloat(li.querySelector(".number").textContent));
const current = () => document.querySelector("#list [aria-current]").dataset.example;
const step = () => document.querySelector("#path [aria-current]").textContent;
const count = () => all("#list button").length;
const arm = (name) => document.querySelector(`#arms input[value="${name}"]`).click();
const model = (name) => document.querySelector(`#beside input[value="${name}"]`).click();
const marked = (node) => node.querySelector("[role=img]")?.getAttribute("aria-label") ?? null;
// A pill: what it reads, whether that is ticked or crossed, and the true hop under it.
const pills = () => all("#path button").map((one) => [one.querySelector("b").firstChild.textContent, marked(one), one.lastChild.textContent]);
const shares = () => all("#picture .patch title").map((one) => parseFloat(one.textContent.split(": ")[1]));
const framed = (kind) => all(`#picture .${kind}`).length;
// Frames whose line lies on a patch.
const covering = () => all("#picture .frame, #picture .route").filter((one) => {
  const half = parseFloat(getComputedStyle(one).strokeWidth) / 2, box = one.getBBox();
  return all("#picture .patch").some((patch) => {
    const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => patch[name].baseVal.value);
    if (one.tagName === "path") {
      for (let at = 0; at <= one.getTotalLength(); at += 2) {
        const p = one.getPointAtLength(at);
        if (p.x > x - half + 0.1 && p.x < x + w + half - 0.1 && p.y > y - half + 0.1 && p.y < y + h + half - 0.1) return true;
      }
      return false;
    }
    const within = x >= box.x + half && y >= box.y + half && x + w <= box.x + box.width - half && y + h <= box.y + box.height - half;
    const beyond = x + w <= box.x - half || x >= box.x + box.width + half || y + h <= box.y - half || y >= box.y + box.height + half;
    return !within && !beyond;
  });
}).length;
