// Where the viewer looks. The same formula as nst/web/page/zoom.py; a test holds the two together.

const MAX_ZOOM = 32;
const STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]; // of + and −

/** Along one axis: the picture's coordinate at the pane's edge; negative where it is smaller. */
function origin(length, percent, zoom, side) {
  const extent = side / zoom;
  if (length <= extent) return (length - extent) / 2;
  const start = Math.floor(((length * percent) / 100 - extent / 2) * zoom + 0.5) / zoom;
  return Math.min(Math.max(start, 0), length - extent);
}

/** The part of a picture that a pane of width × height shows: [left, top, right, bottom] in px. */
function region(size, x, y, zoom, width, height) {
  const left = origin(size[0], x, zoom, width);
  const top = origin(size[1], y, zoom, height);
  return [
    Math.max(left, 0),
    Math.max(top, 0),
    Math.min(left + width / zoom, size[0]),
    Math.min(top + height / zoom, size[1]),
  ];
}

/** The zoom at which a picture just fits; whole from 2× on, so that all its pixels are alike. */
function fittingZoom(size, width, height) {
  const zoom = Math.min(width / size[0], height / size[1]);
  return zoom >= 2 ? Math.min(Math.floor(zoom), MAX_ZOOM) : zoom;
}

/** The next step of + (direction 1) or − (direction −1). */
function nextZoom(zoom, direction) {
  const steps = direction > 0 ? STEPS : [...STEPS].reverse();
  return steps.find((step) => (step - zoom) * direction > 0.01) ?? steps.at(-1);
}
