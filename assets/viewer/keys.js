// Keys: those of the panes while one of them has the focus, the others anywhere on the page.

const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

stage.addEventListener("keydown", (event) => {
  if (!event.target.matches(".pane") || !state.size) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) stepCursor(arrow);
  else if (arrow) move(...arrow.map((step, axis) => (step * paneSize()[axis]) / 8));
  else if (event.key === "+" || event.key === "=") stepZoom(1);
  else if (event.key === "-" || event.key === "−" || event.key === "_") stepZoom(-1);
  else if (event.key === "0") fit();
  else if (event.key === "Enter") centre();
  else return;
  event.preventDefault();
});

/** One step of + or −, around the cursor where there is one. */
function stepZoom(direction) {
  if (!state.size) return;
  const middle = paneSize().map((side) => side / 2);
  const place = state.cursor
    ? corner().map((start, axis) => (state.cursor[axis] + 0.5 - start) * state.zoom)
    : middle;
  const seen = place.every((value, axis) => value >= 0 && value <= 2 * middle[axis]);
  zoomAt(...(seen ? place : middle), nextZoom(state.zoom, direction));
}

/** Move the cursor by one pixel of the picture, and the view along with it. */
function stepCursor(arrow) {
  state.cursor = spot().map((place, axis) =>
    Math.min(Math.max(place + arrow[axis], 0), state.size[axis] - 1));
  const inside = corner().map((start, axis) => (state.cursor[axis] + 0.5 - start) * state.zoom);
  if (inside.every((place, axis) => place >= 0 && place <= paneSize()[axis])) redraw();
  else centre();
}

/** A picture by its number, as large as there is room for; by the same number again, all. */
function showNumber(number) {
  const entry = state.pictures[number - 1];
  if (!entry) return;
  const again = state.mode === "one" && find(".first").value === entry.name;
  if (!again) choose(find(".first"), entry.name);
  pressMode(again ? "grid" : "one");
}

function pressMode(mode) {
  find(`.modes input[value=${mode}]`).checked = true;
  setMode(mode);
}

const TEXTS = "input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable]";
const isTyping = (target) => target.closest?.(TEXTS);

/** Where Space presses nothing. */
const isFree = (target) => target === document.body || target.closest?.(".pane");

window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (!element.offsetParent && document.fullscreenElement !== element) return; // another tab is shown
  if (/^[1-9]$/.test(event.key)) showNumber(Number(event.key));
  else if ((event.key === "x" || event.key === "X") && !inGrid()) swap();
  else if (event.key === " " && isFree(event.target)) showOriginal(true);
  else return;
  event.preventDefault();
});
window.addEventListener("keyup", (event) => event.key === " " && showOriginal(false));
window.addEventListener("blur", () => showOriginal(false));
