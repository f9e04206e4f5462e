// Keys: those of the panes while one of them has the focus, the others anywhere on the page.

import { clamp } from "./viewport.js";

const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};
const TEXTS = "input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable]";

const isCommand = (event) => event.ctrlKey || event.metaKey || event.altKey;

/** Where Space presses nothing. */
const isFree = (target) => target === document.body || target.closest?.(".pane");

export function listenToKeys(view, modes) {
  const { element, stage, viewport } = view;

  stage.addEventListener("keydown", (event) => {
    if (!event.target.matches(".pane") || !viewport.size || isCommand(event)) return;
    const arrow = ARROWS[event.key];
    if (arrow && event.shiftKey) stepCursor(view, arrow);
    else if (arrow) viewport.move(...arrow.map((step, axis) => (step * viewport.pane[axis]) / 8));
    else if (["+", "="].includes(event.key)) viewport.step(1, view.cursor);
    else if (["-", "−", "_"].includes(event.key)) viewport.step(-1, view.cursor);
    else if (event.key === "0") viewport.fit();
    else if (event.key === "Enter") view.centre();
    else return;
    event.preventDefault();
  });

  window.addEventListener("keydown", (event) => {
    if (isCommand(event) || event.target.closest?.(TEXTS)) return;
    if (!element.offsetParent && document.fullscreenElement !== element) return; // another tab is shown
    if (/^[1-9]$/.test(event.key)) modes.showNumber(Number(event.key));
    else if (["x", "X"].includes(event.key) && !view.inGrid) modes.swap();
    else if (event.key === " " && isFree(event.target)) view.set({ original: true });
    else return;
    event.preventDefault();
  });
  window.addEventListener("keyup", (event) => event.key === " " && view.set({ original: false }));
  window.addEventListener("blur", () => view.set({ original: false }));
}

/** Move the cursor by one pixel of the picture, and the view along with it. */
function stepCursor(view, arrow) {
  const { viewport } = view;
  view.cursor = view.spot.map((place, axis) => clamp(place + arrow[axis], 0, viewport.size[axis] - 1));
  if (viewport.placeOf(view.cursor)) view.redraw();
  else view.centre();
}
