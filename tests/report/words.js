// The panel of written answers before and after another question is chosen.
const rows = () => all("#written ul > li").map((row) => [row.querySelector(".who").textContent,
  all(".calls > li", row).map((call) => [call.querySelector("small").textContent,
    all(".object", call).map((one) => [one.firstChild.textContent, marked(one)]),
    all("img", call).filter((one) => one.alt && one.naturalWidth).length]),
  row.querySelector(".says b").textContent]);
await Promise.all(all("#written img").map((one) => one.decode()));
told.first = [current(), rows()];
press("ArrowDown", $("written"));
await Promise.all(all("#written img").map((one) => one.decode()));
told.second = [current(), rows()];
told.stop = $("written").tabIndex; told.name = text($("written").getAttribute("aria-labelledby"));
told.foreign = all("#written script, #written [onerror]").length;
told.evil = all("#written .says").at(-1).textContent;
const right = document.documentElement.clientWidth;
told.wide = all("#written *").filter((one) => one.getBoundingClientRect().right > right + 1)
  .map((one) => one.outerHTML.slice(0, 80));
choose("search", "no such question"); told.hidden = $("written").hidden; choose("search", "");
