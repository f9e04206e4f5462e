// Drawing the pictures into their panes, with the cursor's pixel outlined.

import { make, makeCanvas, ratio } from "../dom.js";
import { outline } from "./heat.js";
import { shrink } from "./resample.js";
import { Viewport } from "./viewport.js";

/** The nearest screen pixel; from exactly between two, whatever rounding did, the second. */
const wholePixel = (place) => Math.floor(place + 0.5 + 1e-6);

/** Unseen over the canvas: the whole pictures, for the browser's own menu, which saves and copies. */
function layWhole(canvas, layers) {
  const wholes = canvas.parentNode.getElementsByClassName("whole");
  const files = layers.filter(({ picture }) => picture.address); // a difference is none
  while (wholes.length > files.length) wholes[0].remove();
  while (wholes.length < files.length) {
    canvas.after(make("img", { class: "whole", alt: "", draggable: false }));
  }
  files.forEach(({ picture: { address }, from, to }, index) => {
    const whole = wholes[index];
    if (whole.getAttribute("src") !== address) whole.src = address;
    whole.style.cssText = `left:${100 * from}%;width:${100 * (to - from)}%`;
  });
}

/** A picture as small as `zoom` shows it. */
function smallAt(picture, zoom) {
  const size = [picture.bitmap.width, picture.bitmap.height];
  const less = size.map((side) => Math.max(1, wholePixel(side * zoom)));
  return shrink(picture.pixels(), size, less);
}

/**
 * The visible region: nearest neighbour from 2× on, smoothed before; below 1× what `smallOf` gives
 * for a picture. Outlines are `times` as thick as on the screen.
 */
function paint(canvas, viewport, layers, smallOf, times = 1) {
  if (!layers.length) return;
  const { pane: [width, height], size, zoom } = viewport;
  const context = canvas.getContext("2d");
  const [left, top, right, bottom] = viewport.region;
  const [startX, startY] = viewport.corner;
  const place = [left - startX, top - startY].map((length) => wholePixel(length * zoom));
  const extent = [right - left, bottom - top].map(
    (length) => (zoom < 1 ? wholePixel(length * zoom) : length * zoom));
  const toPane = ([x, y]) => [place[0] + (x - left) * zoom, place[1] + (y - top) * zoom];
  const drawOne = (bitmap, smooth) => {
    const [across, down] = [bitmap.width / size[0], bitmap.height / size[1]];
    context.imageSmoothingEnabled = smooth;
    context.imageSmoothingQuality = "high";
    context.drawImage(
      bitmap, left * across, top * down, (right - left) * across, (bottom - top) * down,
      ...place, ...extent);
  };
  for (const { picture, heat, from, to } of layers) {
    context.save();
    context.beginPath();
    context.rect(from * width, 0, (to - from) * width, height);
    context.clip();
    drawOne(zoom < 1 ? smallOf(picture) : picture.bitmap, zoom < 2);
    if (heat) outline(context, heat, size, toPane, times * ratio());
    context.restore();
  }
}

export class Drawing {
  #settling = 0;

  constructor(view) {
    this.view = view;
  }

  draw() {
    const { element, entries, inGrid, single, stage, viewport } = this.view;
    element.dataset.zoom = viewport.zoom;
    stage.classList.toggle("moved", !viewport.fitted);
    this.view.find(".factor").textContent = viewport.zoomInWords;
    for (const pane of inGrid ? entries : [single]) {
      const { canvas, mark } = pane;
      const layers = viewport.size ? this.#layers(pane) : [];
      [canvas.width, canvas.height] = viewport.pane;
      const [width, height] = viewport.pane.map((side) => side / ratio());
      canvas.style.cssText = `width:${width}px;height:${height}px`; // never stretched
      layWhole(canvas, layers);
      paint(canvas, this.view.viewportOf(pane), layers, (picture) => this.#small(picture));
      this.#placeMark(mark);
    }
  }

  /** A pane's picture on a canvas of its own, of `times` as many pixels each way. */
  copy(pane, times) {
    const viewport = Object.assign(new Viewport(), this.view.viewportOf(pane));
    viewport.zoom *= times;
    viewport.pane = viewport.pane.map((side) => side * times);
    const canvas = makeCanvas(viewport.pane);
    paint(canvas, viewport, this.#layers(pane), (picture) => smallAt(picture, viewport.zoom), times);
    return canvas;
  }

  /** What a pane shows: pictures between two fractions of its width, and what lies over them. */
  #layers(pane) {
    const { chosen, divider, entries, heat, inGrid, kind, mode, original, secondShown } = this.view;
    const layer = (entry, from = 0, to = 1) =>
      entry.picture ? [{ picture: entry.picture, heat: heat && entry.found?.heat[kind], from, to }] : [];
    if (original) return layer(entries[0]);
    if (inGrid) return layer(pane);
    const [first, second] = chosen;
    if (!first?.picture || !second?.picture) return [];
    if (mode === "one") return layer(first);
    if (mode === "blink") return layer(secondShown ? second : first);
    if (mode === "difference") return layer(this.view.difference);
    return [...layer(first, 0, divider / 100), ...layer(second, divider / 100)];
  }

  /** A picture as small as it is shown; as it is, until the zoom has stayed for a moment. */
  #small(picture) {
    const { zoom } = this.view.viewport;
    if (picture.small?.zoom === zoom) return picture.small.canvas;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#makeSmall(picture, zoom), 50);
    return picture.bitmap;
  }

  #makeSmall(picture, zoom) {
    if (this.view.viewport.zoom !== zoom) return;
    picture.small = { zoom, canvas: smallAt(picture, zoom) };
    this.view.redraw(); // which comes to the next one
  }

  #placeMark(mark) {
    const { cursor, viewport } = this.view;
    mark.hidden = !cursor || !viewport.size;
    if (mark.hidden) return;
    const zoom = viewport.zoom / ratio(); // in CSS px from here on
    const [left, top] = viewport.corner.map((start, axis) => (cursor[axis] - start) * zoom);
    const side = Math.max(zoom, 7);
    const shift = (zoom - side) / 2;
    mark.style.cssText =
      `width:${side}px;height:${side}px;transform:translate(${left + shift}px,${top + shift}px)`;
  }
}
