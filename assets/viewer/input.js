// Pointer, wheel and keys on the stage.

const CLICK = 5; // px that a pointer may wander and still click
const pointers = new Map(); // pointers that are down: id -> { x, y, pane }
let wandered = 0;
let pageScrolled = -Infinity; // when

const paneOf = (event) => event.target.closest?.(".pane");

function placeIn(pane, event) {
  const box = pane.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function pointAt(pane, event) {
  if (!state.size) return;
  const inside = placeIn(pane, event);
  const pixel = corner().map((start, axis) => Math.floor(start + inside[axis] / state.zoom));
  const hit = pixel.every((place, axis) => place >= 0 && place < state.size[axis]);
  state.cursor = hit ? pixel : null;
  redraw();
}

stage.addEventListener("pointerdown", (event) => {
  const pane = paneOf(event);
  if (!pane || event.button > 0 || event.target.closest(".divider")) return;
  pane.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, pane });
  if (pointers.size === 1) wandered = 0;
});

stage.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  const pane = last?.pane ?? paneOf(event);
  if (!pane) return;
  if (last) {
    const before = [...pointers.values()];
    const now = { x: event.clientX, y: event.clientY, pane };
    pointers.set(event.pointerId, now);
    const after = [...pointers.values()];
    wandered += Math.hypot(now.x - last.x, now.y - last.y);
    if (pointers.size === 2) pinch(pane, before, after);
    else if (wandered > CLICK) move(last.x - now.x, last.y - now.y);
  }
  if (event.pointerType !== "touch") pointAt(pane, event);
});

function pinch(pane, before, after) {
  const spread = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y) || 1;
  const middle = ([one, two]) => ({ clientX: (one.x + two.x) / 2, clientY: (one.y + two.y) / 2 });
  wandered = Infinity;
  const [from, to] = [middle(before), middle(after)];
  move(from.clientX - to.clientX, from.clientY - to.clientY);
  zoomAt(...placeIn(pane, to), (state.zoom * spread(after)) / spread(before));
}

function release(event) {
  const down = pointers.get(event.pointerId);
  pointers.delete(event.pointerId);
  if (!down || event.type === "pointercancel" || wandered > CLICK) return;
  pointAt(down.pane, event);
  centre();
}
stage.addEventListener("pointerup", release);
stage.addEventListener("pointercancel", release);

stage.addEventListener("pointerout", (event) => {
  const pane = paneOf(event);
  if (pointers.size || event.pointerType === "touch" || !pane) return;
  if (pane.contains(event.relatedTarget)) return; // still inside, as after a click
  state.cursor = null;
  redraw();
});

// A wheel zooms, unless it was scrolling the page already or there is nothing left to zoom out.
window.addEventListener("scroll", () => (pageScrolled = performance.now()), { passive: true });
stage.addEventListener("wheel", (event) => {
  const pane = paneOf(event);
  const outwards = event.deltaY > 0;
  if (!pane || !state.size || (!event.ctrlKey && performance.now() - pageScrolled < 250)) return;
  if (!event.ctrlKey && outwards && state.fitted) return;
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
  const turned = Math.max(-300, Math.min(300, event.deltaY * lines));
  zoomAt(...placeIn(pane, event), state.zoom * Math.exp(-turned * (event.ctrlKey ? 0.01 : 0.0025)));
  pointAt(pane, event);
}, { passive: false });

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
