"use strict";
(() => {
  const changes = [...document.querySelectorAll(".change")];
  const position = document.getElementById("position");
  const unfold = document.getElementById("unfold");
  if (!changes.length) return;
  let at = -1;

  // What lies between was not laid out before it came near: where it is becomes certain a few frames later.
  function reveal(change, frames = 4) {
    change.scrollIntoView({ block: change.offsetHeight > innerHeight / 2 ? "start" : "center" });
    if (frames) requestAnimationFrame(() => change === changes[at] && reveal(change, frames - 1));
  }

  function go(step) {
    if (at >= 0) changes[at].classList.remove("here");
    at = at < 0 ? (step > 0 ? 0 : changes.length - 1) : (at + step + changes.length) % changes.length;
    const change = changes[at];
    change.classList.add("here");
    reveal(change);
    change.focus({ preventScroll: true });
    position.textContent = `${at + 1} of ${changes.length}`;
  }

  function toggleFolds() {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    unfold.setAttribute("aria-pressed", String(open));
    for (const fold of document.querySelectorAll("details")) fold.open = open;
    if (at >= 0) reveal(changes[at]);
  }

  const keys = { n: () => go(1), j: () => go(1), p: () => go(-1), k: () => go(-1), u: toggleFolds };
  document.getElementById("next").addEventListener("click", keys.n);
  document.getElementById("previous").addEventListener("click", keys.p);
  unfold.addEventListener("click", toggleFolds);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
