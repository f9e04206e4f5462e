// What is looked at and how; the viewer's parts read it here and change it here.
// Sizes and places on the screen are in its own pixels, of which a CSS px may have several.

import { Part, ratio } from "../dom.js";
import { difference } from "./pictures.js";
import { Viewport } from "./viewport.js";

const [TINY, LEAST] = [150, 120]; // CSS px: a column that is tiny; a picture is never lower

export class View extends Part {
  viewport = new Viewport(() => this.redraw());
  parts = []; // each may `describe` what has changed, at once, and `draw`, with the next frame
  entries = []; // the pictures, see panes.js
  photo = null; // tells photos apart
  mode = "grid";
  looked = null; // the name of the picture of the grid that was clicked last
  pair = []; // the names of the two that the other modes show
  cursor = null; // [x, y] of the pixel under the pointer
  divider = 50; // percent of the pane
  gain = 1; // of the difference
  calm = false; // the difference without strokes
  secondShown = false; // in turns with the first
  original = false; // shown in place of everything, as long as a key is held
  own = false; // each picture of the grid at a place of its own, beside the common one
  kind = "spots"; // what is looked for: "grid" and "yellow", too
  heat = false; // where it is, is outlined
  #frame = 0;
  #difference = {};

  /** `props.value` is what is shown. */
  constructor(element, props) {
    super(element);
    this.props = props;
    this.stage = this.find(".stage");
    const figure = this.find(".single");
    const [canvas, mark, wait] = ["canvas", ".mark", ".wait"].map((part) => figure.querySelector(part));
    this.single = { figure, canvas, mark, wait };
  }

  named = (name) => this.entries.find((entry) => entry.name === name);

  get inGrid() {
    return this.mode === "grid";
  }

  /** The two pictures, those that are there. */
  get chosen() {
    return this.pair.map((name) => this.named(name)).filter(Boolean);
  }

  /** The pictures that are looked at. */
  get shown() {
    if (this.inGrid) return this.entries;
    return this.mode === "one" ? this.chosen.slice(0, 1) : this.chosen;
  }

  get currentPane() {
    return (this.inGrid ? this.find(".panes") : this.single.figure).querySelector(".pane");
  }

  /** The pixel that the readout is about: the cursor's, or else the one at the centre. */
  get spot() {
    return this.cursor ?? this.viewport.centre;
  }

  /** Where one of the panes looks. */
  viewportOf({ beside }) {
    const { size, pane, x, y, zoom } = this.viewport;
    if (!this.own || !this.inGrid || !beside || !size) return this.viewport;
    const viewport = Object.assign(new Viewport(), { size, pane });
    viewport.look(x + beside[0], y + beside[1], zoom);
    return viewport;
  }

  /** The difference of the two pictures, computed once. */
  get difference() {
    const [first, second] = this.chosen;
    const key = [first.address, second.address, this.gain, this.calm].join(" ");
    if (this.#difference.key !== key) {
      this.#difference = { key, ...difference(first.picture, second.picture, this.gain, this.calm) };
    }
    return this.#difference;
  }

  /** Centre on the pixel of the cursor; from the whole picture, magnify it first. */
  centre() {
    const { viewport } = this;
    if (viewport.size) viewport.centreOn(this.spot, viewport.fitted ? Math.max(4, viewport.zoom) : undefined);
  }

  /** Show something else: any of the fields above. */
  set(changes) {
    Object.assign(this, changes);
    this.changed();
  }

  changed() {
    for (const part of this.parts) part.describe?.();
    this.redraw();
  }

  redraw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.viewport.pane = this.#paneSize();
    for (const part of this.parts) part.draw?.();
  }

  /** The pictures have more or less room. */
  resize() {
    this.layOut();
    this.viewport.resize(this.#paneSize());
  }

  #paneSize() {
    const pane = this.currentPane;
    return pane ? [pane.clientWidth, pane.clientHeight].map((side) => Math.round(side * ratio())) : [0, 0];
  }

  /** As many pictures in a row as show them largest, all of them in the window where they can be. */
  layOut() {
    const { element: { style }, entries: { length: count }, inGrid, stage, viewport: { size } } = this;
    const above = stage.getBoundingClientRect().top + (document.fullscreenElement ? 0 : window.scrollY);
    const gap = parseFloat(getComputedStyle(stage).columnGap);
    const [width, height] = size ?? [4, 3];
    let best = { zoom: 0, columns: 1 };
    for (let columns = inGrid ? count : 1; columns > 0; columns -= 1) {
      const caption = this.#setColumns(columns);
      const [across, rows] = [(stage.clientWidth + gap) / columns - gap, Math.ceil(count / columns)];
      const down = Math.max((window.innerHeight - above - gap) / rows - caption - gap, LEAST);
      const zoom = Math.min(across / width, down / height);
      if (zoom > best.zoom) best = { zoom, columns, rows };
    }
    this.columns = best.columns;
    style.setProperty("--caption", `${this.#setColumns(best.columns)}px`);
    style.setProperty("--rows", best.rows);
    style.setProperty("--above", `${above}px`);
  }

  /** In so many columns; how high the highest caption then is, in CSS px. */
  #setColumns(columns) {
    const { element, inGrid, shown, stage } = this;
    element.style.setProperty("--columns", columns);
    element.toggleAttribute("data-tiny", inGrid && stage.clientWidth / columns < TINY);
    return Math.max(0, ...shown.map(({ caption }) => caption.offsetHeight));
  }
}
