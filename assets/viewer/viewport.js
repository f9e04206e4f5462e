// Where the viewer looks: numbers alone, no document. A test holds it against tests/zoom.py.

const MAX_ZOOM = 32;
const STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]; // of + and −

export const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** Along one axis: the picture's coordinate at the pane's edge; negative where it is smaller. */
function origin(length, percent, zoom, side) {
  const extent = side / zoom;
  if (length <= extent) return (length - extent) / 2;
  const start = Math.floor(((length * percent) / 100 - extent / 2) * zoom + 0.5) / zoom;
  return clamp(start, 0, length - extent);
}

/** A pane on a picture. Places in the pane count from its left top corner, in screen pixels. */
export class Viewport {
  size = null; // [width, height] of the picture in px
  pane = [0, 0]; // width and height in screen pixels
  x = 50; // the centre in percent of the picture
  y = 50;
  zoom = 1; // screen pixels for each pixel of the picture
  fitted = true; // all of it is seen
  wanted = null; // [x, y, zoom] that was asked for, however much of it this pane can do; null: all

  /** `moved` is called when another place is looked at. */
  constructor(moved = () => {}) {
    this.moved = moved;
  }

  /** The zoom at which a picture just fits; whole from 2× on, so that all its pixels are alike. */
  get fittingZoom() {
    const zoom = Math.min(...this.pane.map((side, axis) => side / this.size[axis]));
    return zoom >= 2 ? Math.min(Math.floor(zoom), MAX_ZOOM) : zoom;
  }

  /** Picture coordinates of the pane's left top corner. */
  get corner() {
    return [this.x, this.y].map((percent, axis) =>
      origin(this.size[axis], percent, this.zoom, this.pane[axis]));
  }

  /** The part of the picture that is shown: [left, top, right, bottom] in px. */
  get region() {
    const ends = this.corner.map((start, axis) =>
      Math.min(start + this.pane[axis] / this.zoom, this.size[axis]));
    return [...this.corner.map((start) => Math.max(start, 0)), ...ends];
  }

  /** The pixel of the picture at the centre. */
  get centre() {
    return [this.x, this.y].map((percent, axis) =>
      Math.min(Math.floor((this.size[axis] * percent) / 100), this.size[axis] - 1));
  }

  get zoomInWords() {
    return this.size ? `${Number(this.zoom.toFixed(2))}×` : "–";
  }

  /** The pixel of the picture at a place in the pane; null beside the picture. */
  pixelAt(place) {
    const pixel = this.corner.map((start, axis) => Math.floor(start + place[axis] / this.zoom));
    return pixel.every((at, axis) => at >= 0 && at < this.size[axis]) ? pixel : null;
  }

  /** The place in the pane of a pixel's centre; null outside of the pane. */
  placeOf(pixel) {
    const place = this.corner.map((start, axis) => (pixel[axis] + 0.5 - start) * this.zoom);
    return place.every((at, axis) => at >= 0 && at <= this.pane[axis]) ? place : null;
  }

  /** Centre as near to (x, y) as the picture reaches. */
  look(x, y, zoom = this.zoom) {
    this.#aim(x, y, zoom);
    this.wanted = this.fitted ? null : [this.x, this.y, this.zoom];
  }

  /** Look where somebody has looked in a pane of maybe another size, now and in all sizes to come. */
  restore(...wanted) {
    this.wanted = wanted;
    this.#aim(...wanted);
  }

  #aim(x, y, zoom) {
    if (!this.size || !this.pane[0]) return;
    const fitting = this.fittingZoom;
    this.zoom = clamp(zoom, Math.min(fitting, 1), MAX_ZOOM);
    this.fitted = this.zoom === fitting;
    [this.x, this.y] = [x, y];
    const [left, top, right, bottom] = this.region;
    this.x = (50 * (left + right)) / this.size[0];
    this.y = (50 * (top + bottom)) / this.size[1];
    this.moved();
  }

  /** Whatever comes next is seen whole. */
  forget() {
    [this.fitted, this.wanted] = [true, null];
  }

  fit() {
    if (this.size) this.look(50, 50, this.fittingZoom);
  }

  /** Look as before, or at all of it, in a pane of another size. */
  resize(pane) {
    this.pane = pane;
    if (this.wanted) this.#aim(...this.wanted);
    else this.fit();
  }

  /** Zoom and keep the picture's point at a place of the pane where it is. */
  zoomAt(place, zoom) {
    if (!this.size) return;
    const next = clamp(zoom, Math.min(this.fittingZoom, this.zoom), MAX_ZOOM);
    const [x, y] = this.corner.map((start, axis) => {
      const beside = this.pane[axis] / 2 - place[axis];
      return (100 * (start + place[axis] / this.zoom + beside / next)) / this.size[axis];
    });
    this.look(x, y, next);
  }

  /** The next step of + (direction 1) or − (−1), around a pixel where one is given and seen. */
  step(direction, pixel = null) {
    if (!this.size) return;
    const steps = direction > 0 ? STEPS : [...STEPS].reverse();
    const zoom = steps.find((step) => (step - this.zoom) * direction > 0.01) ?? direction * Infinity;
    this.zoomAt((pixel && this.placeOf(pixel)) ?? this.pane.map((side) => side / 2), zoom);
  }

  /** By screen pixels. */
  move(right, down) {
    if (!this.size) return;
    const [width, height] = this.size.map((side) => side * this.zoom);
    this.look(this.x + (100 * right) / width, this.y + (100 * down) / height);
  }

  /** Of a pixel's centre. */
  percentOf = (pixel) => pixel.map((at, axis) => (100 * (at + 0.5)) / this.size[axis]);

  centreOn(pixel, zoom = this.zoom) {
    if (this.size) this.look(...this.percentOf(pixel), zoom);
  }
}
