// What is looked at, and drawing it. `element`, `props`, `watch` and `trigger` come from gr.HTML.
// The scripts of this folder are one function's body, in the order of nst.web.page.components.Viewer.
// Sizes and places on the screen are in its own pixels, of which a CSS px may have several.

const find = (selector) => element.querySelector(selector);
const stage = find(".stage");
const single = find(".single");
const panesBox = find(".panes");

const state = {
  size: null, // [width, height] of the pictures in px
  photo: null, // tells photos apart
  pictures: [], // in the page's order, see `build`
  mode: "grid",
  x: 50, // centre in percent of the picture
  y: 50,
  zoom: 1, // screen pixels for each pixel of the picture
  fitted: true, // follow the size of the panes
  cursor: null, // [x, y] of the pixel under the pointer, or null
  divider: 50, // percent of the pane
  blinkShowsSecond: false,
  original: false, // shown in place of everything, as long as a key is held
  heat: false, // lies over the pictures
};

let linked = true; // what the address asks for has not been shown yet

const inGrid = () => state.mode === "grid";
const named = (name) => state.pictures.find((entry) => entry.name === name);
const chosen = () => [named(find(".first").value), named(find(".second").value)];
const ratio = () => window.devicePixelRatio || 1;
const currentPane = () => (inGrid() ? panesBox : single).querySelector(".pane");

/** Width and height of a pane. */
function paneSize() {
  const pane = currentPane();
  return pane ? [pane.clientWidth, pane.clientHeight].map((side) => Math.round(side * ratio())) : [0, 0];
}

/** Picture coordinates of the pane's left top corner. */
function corner() {
  const [width, height] = paneSize();
  const { size, x, y, zoom } = state;
  return [origin(size[0], x, zoom, width), origin(size[1], y, zoom, height)];
}

/** Look at a place; null leaves the zoom. */
function look(x, y, zoom) {
  const [width, height] = paneSize();
  if (!state.size || !width) return;
  const fitting = fittingZoom(state.size, width, height);
  state.zoom = Math.min(Math.max(zoom ?? state.zoom, Math.min(fitting, 1)), MAX_ZOOM);
  state.fitted = state.zoom === fitting;
  const [left, top, right, bottom] = region(state.size, x, y, state.zoom, width, height);
  state.x = (50 * (left + right)) / state.size[0];
  state.y = (50 * (top + bottom)) / state.size[1];
  noteView();
  redraw();
}

function fit() {
  const [width, height] = paneSize();
  if (state.size && width) look(50, 50, fittingZoom(state.size, width, height));
}

/** As it was, or fitted, in panes of another size. */
const lookAgain = () => (state.fitted ? fit() : look(state.x, state.y, null));

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

/** Centre on a pixel of the picture, at a zoom or as it is. */
function centreOn(pixel, zoom = null) {
  if (!state.size) return;
  look(...pixel.map((place, axis) => (100 * (place + 0.5)) / state.size[axis]), zoom);
}

/** Centre on the pixel of the cursor; from the whole picture, magnify it first. */
function centre() {
  if (state.size) centreOn(spot(), state.fitted ? Math.max(4, state.zoom) : null);
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
      const shown = state.original ? state.pictures[0] : entry;
      paint(entry.canvas, shown.picture ? [layer(shown)] : []);
      placeMark(entry.mark);
    }
  } else {
    paint(single.querySelector("canvas"), layers());
    placeMark(single.querySelector(".mark"));
  }
  drawOverview();
  writeReadout();
}

const shownZoom = () => `${Number(state.zoom.toFixed(2))}×`;

/** A picture between two fractions of the pane's width, and what lies over it. */
const layer = (entry, from = 0, to = 1) =>
  ({ picture: entry.picture, heat: state.heat ? entry.heat : null, from, to });

/** What the single pane shows. */
function layers() {
  const [first, second] = state.original ? [state.pictures[0], state.pictures[0]] : chosen();
  if (!first?.picture || !second?.picture) return [];
  if (state.mode === "one") return [layer(first)];
  if (state.mode === "blink") return [layer(state.blinkShowsSecond ? second : first)];
  if (state.mode === "difference" && !state.original) {
    return [{ picture: currentDifference().picture, from: 0, to: 1 }];
  }
  const cut = state.divider / 100;
  return [layer(first, 0, cut), layer(second, cut, 1)];
}

/** The nearest screen pixel; from exactly between two, whatever rounding did, the second. */
const wholePixel = (place) => Math.floor(place + 0.5 + 1e-6);

/** Draw the visible region: nearest neighbour from 2× on, smoothed before, Lanczos below 1×. */
function paint(canvas, parts) {
  const [width, height] = paneSize();
  [canvas.width, canvas.height] = [width, height];
  canvas.style.cssText = `width:${width / ratio()}px;height:${height / ratio()}px`; // never stretched
  if (!state.size) return;
  const context = canvas.getContext("2d");
  const [left, top, right, bottom] = region(
    state.size, state.x, state.y, state.zoom, width, height);
  const [startX, startY] = corner();
  const place = [left - startX, top - startY, right - left, bottom - top].map(
    (length) => (state.zoom < 1 ? wholePixel(length * state.zoom) : length * state.zoom));
  [place[0], place[1]] = [wholePixel(place[0]), wholePixel(place[1])];
  const drawOne = (bitmap, smooth) => {
    const scale = [bitmap.width / state.size[0], bitmap.height / state.size[1]];
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "high";
    context.drawImage(
      bitmap, left * scale[0], top * scale[1], (right - left) * scale[0], (bottom - top) * scale[1],
      ...place);
  };
  for (const { picture, heat, from, to } of parts) {
    context.save();
    context.beginPath();
    context.rect(from * canvas.width, 0, (to - from) * canvas.width, canvas.height);
    context.clip();
    drawOne(state.zoom < 1 ? small(picture) : picture.bitmap, state.zoom < 2);
    if (heat) drawOne(heat, false);
    context.restore();
  }
}

let settling = 0;

/** A picture as small as it is shown; as it is, until the zoom has stayed for a moment. */
function small(picture) {
  if (picture.small?.zoom === state.zoom) return picture.small.canvas;
  clearTimeout(settling);
  settling = setTimeout(makeSmall, 50, picture, state.zoom);
  return picture.bitmap;
}

function makeSmall(picture, zoom) {
  if (state.zoom !== zoom) return;
  const size = [picture.bitmap.width, picture.bitmap.height];
  const less = size.map((side) => Math.max(1, wholePixel(side * zoom)));
  picture.small = { zoom, canvas: shrink(picture.pixels(), size, less) };
  redraw(); // which comes to the next one
}

/** The cursor's pixel, outlined in every pane. */
function placeMark(mark) {
  mark.hidden = !state.cursor || !state.size;
  if (mark.hidden) return;
  const zoom = state.zoom / ratio(); // in CSS px from here on
  const [left, top] = corner().map((start, axis) => (state.cursor[axis] - start) * zoom);
  const side = Math.max(zoom, 7);
  const shift = (zoom - side) / 2;
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

/** Mode, pair, place and zoom, in the address; what is as at first is left out. */
function noteView() {
  if (!state.size || linked) return;
  const pair = chosen().map((entry) => entry?.name).join();
  const place = [state.x, state.y].map((percent) => Number(percent.toFixed(2))).join();
  writeAddress({
    mode: inGrid() ? null : state.mode,
    pair: inGrid() ? null : pair,
    at: state.fitted ? null : place,
    zoom: state.fitted ? null : Number(state.zoom.toFixed(3)),
    heat: state.heat ? 1 : null,
  });
}
