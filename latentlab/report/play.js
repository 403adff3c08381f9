// A worked question that plays by itself: the run left alone step by step and its answer, then the
// same under an intervention. Where motion is unwelcome the button walks on by one step a press.

const MOMENT = 1700, PAUSE = 3600; // milliseconds that a step and an answer are looked at

function player(button, stage, frames, show) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let left = null, timer = 0;

  function label() {
    const going = left !== null;
    button.textContent = still.matches ? (going ? "Next step" : "Walk through it") : going ? "■ Stop" : "▶ Play it";
  }

  function stop() {
    clearTimeout(timer);
    left = null;
    stage.classList.remove("unanswered");
    label();
  }

  function next() {
    const frame = left.shift();
    stage.classList.toggle("unanswered", !frame.answered);
    show(frame);
    if (!left.length) return stop();
    if (!still.matches) timer = setTimeout(next, frame.answered ? PAUSE : MOMENT);
    label();
  }

  button.addEventListener("click", () => {
    if (left !== null && !still.matches) return stop();
    if (left === null) left = frames();
    if (left.length) next();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden && !still.matches) stop(); });
  still.addEventListener("change", stop);
  label();
  return { stop, playing: () => left !== null };
}
