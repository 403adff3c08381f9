// What the page does beside the viewer: folds open where they are led to or printed, and tables and
// figures that are wider than their place say so.
{
  const unfold = (element) => {
    for (let up = element; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  };
  const led = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    unfold(target);
    target.scrollIntoView({ behavior: "instant" });
  };
  window.addEventListener("hashchange", led);
  window.addEventListener("load", led); // the rest of the page has its height by then
  led();

  const closed = [];
  window.addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details:not([open])")) { closed.push(fold); fold.open = true; }
  });
  window.addEventListener("afterprint", () => { while (closed.length) closed.pop().open = false; });

  const measure = (place) => {
    const hidden = place.scrollWidth - place.clientWidth;
    place.parentElement.classList.toggle("more", hidden > 1);
    place.parentElement.classList.toggle("end", place.scrollLeft > hidden - 2);
  };
  const watch = new ResizeObserver((entries) => { for (const { target } of entries) measure(target); });
  for (const place of document.querySelectorAll(".scroll")) {
    measure(place);
    watch.observe(place);
    place.addEventListener("scroll", () => measure(place), { passive: true });
  }
}
