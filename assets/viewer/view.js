// What is looked at, and drawing it. `element`, `props`, `watch` and `trigger` come from gr.HTML.

const find = (selector) => element.querySelector(selector);
const stage = find(".stage");
const single = find(".single");
const panesBox = find(".panes");

const state = {
  size: null, // [width, height] of the pictures in px
  pictures: [], // { name, picture: { bitmap, pixels } or null, canvas, mark }, in the page's order
  mode: "grid",
  x: 50, // centre in percent of the picture
  y: 50,
  zoom: 1,
  fitted: true, // follow the size of the panes
  cursor: null, // [x, y] of the pixel under the pointer, or null
  divider: 50, // percent of the pane
  blinkShowsSecond: false,
};

const inGrid = () => state.mode === "grid";
const named = (name) => state.pictures.find((entry) => entry.name === name);
const chosen = () => [named(find(".first").value), named(find(".second").value)];

/** Width and height of a pane in CSS px. */
function paneSize() {
  const pane = inGrid() ? panesBox.querySelector(".pane") : single.querySelector(".pane");
  return pane ? [pane.clientWidth, pane.clientHeight] : [0, 0];
}

/** Picture coordinates of the pane's left top corner. */
function corner() {
  const [width, height] = paneSize();
  const { size, x, y, zoom } = state;
  return [origin(size[0], x, zoom, width), origin(size[1], y, zoom, height)];
}

/** Look at a place; null leaves the zoom or follows the pane ("fit"). */
function look(x, y, zoom) {
  const [width, height] = paneSize();
  if (!state.size || !width) return;
  const least = fittingZoom(state.size, width, height);
  state.zoom = Math.min(Math.max(zoom ?? state.zoom, least), MAX_ZOOM);
  state.fitted = state.zoom === least;
  const [left, top, right, bottom] = region(state.size, x, y, state.zoom, width, height);
  state.x = (50 * (left + right)) / state.size[0];
  state.y = (50 * (top + bottom)) / state.size[1];
  redraw();
}

function fit() {
  const [width, height] = paneSize();
  if (state.size && width) look(50, 50, fittingZoom(state.size, width, height));
}

/** Zoom and keep the picture's point that lies at (left, top) of the pane where it is. */
function zoomAt(left, top, zoom) {
  if (!state.size) return;
  const [width, height] = paneSize();
  const least = fittingZoom(state.size, width, height);
  const next = Math.min(Math.max(zoom, least), MAX_ZOOM);
  const place = corner().map((start, axis) => {
    const inside = [left, top][axis];
    const middle = [width, height][axis] / 2;
    return (100 * (start + inside / state.zoom + (middle - inside) / next)) / state.size[axis];
  });
  look(...place, next);
}

function move(right, down) {
  if (!state.size) return;
  const { x, y, zoom, size } = state;
  look(x + (100 * right) / zoom / size[0], y + (100 * down) / zoom / size[1], null);
}

/** Centre on the pixel of the cursor; from the whole picture, magnify it first. */
function centre() {
  if (!state.size) return;
  const [x, y] = spot().map((place, axis) => (100 * (place + 0.5)) / state.size[axis]);
  look(x, y, state.fitted ? Math.max(4, state.zoom) : null);
}

/** The pixel that the readout is about: the cursor's, or else the one at the centre. */
function spot() {
  if (state.cursor) return state.cursor;
  return [state.x, state.y].map((percent, axis) =>
    Math.min(Math.floor((state.size[axis] * percent) / 100), state.size[axis] - 1));
}

let drawing = 0;
function redraw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(draw);
}

function draw() {
  element.dataset.zoom = state.zoom;
  stage.classList.toggle("moved", !state.fitted);
  find(".factor").textContent = state.size ? shownZoom() : "–";
  if (inGrid()) {
    for (const entry of state.pictures) {
      const bitmap = entry.picture?.bitmap;
      paint(entry.canvas, bitmap ? [{ bitmap, from: 0, to: 1 }] : []);
      placeMark(entry.mark);
    }
  } else {
    paint(single.querySelector("canvas"), layers());
    placeMark(single.querySelector(".mark"));
  }
  writeReadout();
}

const shownZoom = () => `${Number(state.zoom.toFixed(2))}×`;

/** What the single pane shows: bitmaps, each between two fractions of the pane's width. */
function layers() {
  const [first, second] = chosen().map((entry) => entry?.picture);
  if (!first || !second) return [];
  if (state.mode === "difference") return [{ bitmap: currentDifference().bitmap, from: 0, to: 1 }];
  if (state.mode === "blink") {
    return [{ bitmap: (state.blinkShowsSecond ? second : first).bitmap, from: 0, to: 1 }];
  }
  const cut = state.divider / 100;
  return [{ bitmap: first.bitmap, from: 0, to: cut }, { bitmap: second.bitmap, from: cut, to: 1 }];
}

/** The nearest screen pixel; from exactly between two, whatever rounding did, the second. */
const wholePixel = (place) => Math.floor(place + 0.5 + 1e-6);

/** Draw the visible region in the screen's own pixels; nearest neighbour from 2× on. */
function paint(canvas, parts) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = paneSize();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.cssText = `width:${width}px;height:${height}px`; // never stretched by a fraction
  if (!state.size) return;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = state.zoom < 2;
  context.imageSmoothingQuality = "high";
  const [left, top, right, bottom] = region(
    state.size, state.x, state.y, state.zoom, width, height);
  const [startX, startY] = corner();
  const scale = state.zoom * ratio;
  for (const { bitmap, from, to } of parts) {
    context.save();
    context.beginPath();
    context.rect(from * canvas.width, 0, (to - from) * canvas.width, canvas.height);
    context.clip();
    context.drawImage(
      bitmap, left, top, right - left, bottom - top,
      wholePixel((left - startX) * scale), wholePixel((top - startY) * scale),
      (right - left) * scale, (bottom - top) * scale);
    context.restore();
  }
}

/** The cursor's pixel, outlined in every pane. */
function placeMark(mark) {
  mark.hidden = !state.cursor || !state.size;
  if (mark.hidden) return;
  const [left, top] = corner().map((start, axis) => (state.cursor[axis] - start) * state.zoom);
  const side = Math.max(state.zoom, 7);
  const shift = (state.zoom - side) / 2;
  mark.style.cssText =
    `width:${side}px;height:${side}px;transform:translate(${left + shift}px,${top + shift}px)`;
}

function writeReadout() {
  const where = find(".where");
  if (!state.size) {
    where.textContent = "";
    return;
  }
  const [x, y] = spot();
  const text = `x ${x}, y ${y}${state.cursor ? "" : " (centre)"} at ${shownZoom()}`;
  if (where.textContent !== text) where.textContent = text;
  for (const entry of state.pictures) {
    if (!entry.picture) {
      entry.colour.textContent = "–";
      entry.swatch.style.background = "none";
      continue;
    }
    const start = 4 * (y * state.size[0] + x);
    const rgb = [...entry.picture.pixels().subarray(start, start + 3)];
    entry.colour.textContent = rgb.join(" ");
    entry.swatch.style.background = `rgb(${rgb.join(",")})`;
  }
}

let lastDifference = { key: null };
function currentDifference() {
  const [first, second] = chosen();
  const gain = 2 ** find(".gain input").value;
  const key = [first.address, second.address, gain].join(" ");
  if (lastDifference.key !== key) {
    lastDifference = { key, ...difference(first.picture, second.picture, gain) };
  }
  return lastDifference;
}
