// Pointer and wheel on the stage.

const CLICK = 5; // px that a pointer may wander and still click
const pointers = new Map(); // pointers that are down: id -> { x, y, pane }
let wandered = 0;

const paneOf = (event) => event.target.closest?.(".pane");

function placeIn(pane, event) {
  const box = pane.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top].map((length) => length * ratio());
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
  element.toggleAttribute("data-touched", event.pointerType === "touch"); // for the hints
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
    else if (wandered > CLICK) moveByHand(last.x - now.x, last.y - now.y);
  }
  if (event.pointerType !== "touch") pointAt(pane, event);
});

/** In CSS px. */
const moveByHand = (right, down) => move(right * ratio(), down * ratio());

function pinch(pane, before, after) {
  const spread = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y) || 1;
  const middle = ([one, two]) => ({ clientX: (one.x + two.x) / 2, clientY: (one.y + two.y) / 2 });
  wandered = Infinity;
  const [from, to] = [middle(before), middle(after)];
  moveByHand(from.clientX - to.clientX, from.clientY - to.clientY);
  zoomAt(...placeIn(pane, to), (state.zoom * spread(after)) / spread(before));
}

function release(event) {
  const down = pointers.get(event.pointerId);
  pointers.delete(event.pointerId);
  if (!down || event.type === "pointercancel" || wandered > CLICK) return;
  if (state.mode === "slider") {
    dividerTo(event);
    return;
  }
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

// As on maps: a wheel scrolls the page, unless the pictures are magnified or Ctrl is held.
const PAUSE = 250; // ms without a wheel's turn, after which it may mean something else
let hinting = 0;
let turned = { at: -Infinity, here: false }; // the last turn, and whether it was for the pictures
window.addEventListener("wheel", (event) => {
  if (!stage.contains(event.target)) turned = { at: performance.now(), here: false };
}, { passive: true, capture: true });
stage.addEventListener("wheel", (event) => {
  const pane = paneOf(event);
  if (!pane || !state.size) return;
  const held = event.ctrlKey || event.metaKey;
  const goesOn = performance.now() - turned.at < PAUSE;
  const here = held || (goesOn ? turned.here : !state.fitted || document.fullscreenElement === element);
  turned = { at: performance.now(), here };
  if (!here) {
    hint(pane);
    return;
  }
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
  const amount = Math.max(-300, Math.min(300, event.deltaY * lines));
  zoomAt(...placeIn(pane, event), state.zoom * Math.exp(-amount * (event.ctrlKey ? 0.01 : 0.0025)));
  pointAt(pane, event);
}, { passive: false });

/** How to zoom, for those who try the wheel. */
function hint(pane) {
  const words = find(".wheel");
  if (words.parentNode !== pane) pane.append(words);
  words.textContent = `${/Mac/.test(navigator.platform) ? "⌘" : "Ctrl"} and the wheel zoom`;
  words.hidden = false;
  clearTimeout(hinting);
  hinting = setTimeout(() => (words.hidden = true), 1200);
}
