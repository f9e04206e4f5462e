// Where one is: the whole picture in a corner, with the part that is shown.

import { make, ratio } from "../dom.js";

const [PART, LARGEST] = [0.3, 150]; // of the pane; CSS px

export class Overview {
  #canvas = make("canvas", { class: "overview", "aria-hidden": true }); // keys move without it

  constructor(view) {
    this.view = view;
    for (const name of ["pointerdown", "pointermove", "pointerup"]) {
      this.#canvas.addEventListener(name, (event) => this.#drag(event));
    }
  }

  draw() {
    const { chosen, currentPane, entries, inGrid, viewport } = this.view;
    const canvas = this.#canvas;
    if (currentPane && canvas.parentNode !== currentPane) currentPane.append(canvas);
    const shown = inGrid ? entries[0] : chosen[0];
    canvas.hidden = viewport.fitted || !shown?.picture || !viewport.size;
    if (canvas.hidden) return;
    const room = viewport.pane.map((side) => Math.min(PART * side, LARGEST * ratio()));
    const scale = Math.min(...viewport.size.map((side, axis) => room[axis] / side));
    const [width, height] = viewport.size.map((side) => Math.max(1, Math.round(side * scale)));
    [canvas.width, canvas.height] = [width, height];
    canvas.style.cssText = `width:${width / ratio()}px;height:${height / ratio()}px`;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(shown.picture.bitmap, 0, 0, width, height);
    const [left, top, right, bottom] = viewport.region.map((side) => side * scale);
    for (const [style, line] of [["#000", 4], ["#fff", 2]]) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(left, top, Math.max(right - left, 3), Math.max(bottom - top, 3));
    }
  }

  #drag(event) {
    event.stopPropagation(); // the pane would move as well
    if (event.type === "pointerdown") this.#canvas.setPointerCapture(event.pointerId);
    if (!this.#canvas.hasPointerCapture(event.pointerId)) return;
    const box = this.#canvas.getBoundingClientRect();
    this.view.viewport.look(
      (100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height);
  }
}
