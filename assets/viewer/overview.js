// Where one is: the whole picture in a corner, with the part that is shown.

const [PART, LARGEST] = [0.3, 150]; // of the pane; CSS px
const overview = make("canvas", "overview");
overview.setAttribute("aria-hidden", "true"); // keys move without it

function drawOverview() {
  const pane = currentPane();
  if (pane && overview.parentNode !== pane) pane.append(overview);
  const shown = inGrid() ? state.pictures[0] : chosen()[0];
  overview.hidden = state.fitted || !shown?.picture || !state.size;
  if (overview.hidden) return;
  const room = paneSize().map((side) => Math.min(PART * side, LARGEST * ratio()));
  const scale = Math.min(...state.size.map((side, axis) => room[axis] / side));
  const [width, height] = state.size.map((side) => Math.max(1, Math.round(side * scale)));
  [overview.width, overview.height] = [width, height];
  overview.style.cssText = `width:${width / ratio()}px;height:${height / ratio()}px`;
  const context = overview.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(shown.picture.bitmap, 0, 0, width, height);
  const [left, top, right, bottom] = region(
    state.size, state.x, state.y, state.zoom, ...paneSize()).map((side) => side * scale);
  for (const [style, line] of [["#000", 4], ["#fff", 2]]) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.strokeRect(left, top, Math.max(right - left, 3), Math.max(bottom - top, 3));
  }
}

function goTo(event) {
  const box = overview.getBoundingClientRect();
  look(
    (100 * (event.clientX - box.left)) / box.width,
    (100 * (event.clientY - box.top)) / box.height, null);
}
overview.addEventListener("pointerdown", (event) => {
  event.stopPropagation(); // the pane would move as well
  overview.setPointerCapture(event.pointerId);
  goTo(event);
});
overview.addEventListener("pointermove", (event) => {
  event.stopPropagation();
  if (overview.hasPointerCapture(event.pointerId)) goTo(event);
});
overview.addEventListener("pointerup", (event) => event.stopPropagation());
