// Making pictures smaller on the screen. A browser's own way turns a fine grid into moiré.

import { makeCanvas } from "../dom.js";

const LOBES = 3;

function lanczos(x) {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / (angle * angle);
}

/** For each of `count` places along `length` pixels: the first pixel that counts, and the weights. */
function weights(length, count) {
  const scale = length / count; // 1 or more
  return Array.from({ length: count }, (_, index) => {
    const middle = (index + 0.5) * scale - 0.5;
    const first = Math.max(Math.ceil(middle - LOBES * scale), 0);
    const last = Math.min(Math.floor(middle + LOBES * scale), length - 1);
    const values = Float32Array.from({ length: last - first + 1 },
      (_, offset) => lanczos((first + offset - middle) / scale));
    const sum = values.reduce((total, value) => total + value, 0);
    return { first, values: values.map((value) => value / sum) };
  });
}

/** One direction of the reduction: `lines` lines of pixels that lie `step` apart. */
function reduce(source, target, taps, lines, along, across) {
  for (let line = 0; line < lines; line += 1) {
    taps.forEach(({ first, values }, place) => {
      let [red, green, blue] = [0, 0, 0];
      let from = line * across.source + first * along.source;
      for (const value of values) {
        red += value * source[from];
        green += value * source[from + 1];
        blue += value * source[from + 2];
        from += along.source;
      }
      const to = line * across.target + place * along.target;
      [target[to], target[to + 1], target[to + 2]] = [red, green, blue];
    });
  }
}

/** RGBA bytes of width × height -> an opaque canvas of smaller size, filtered by Lanczos' window. */
export function shrink(pixels, [width, height], [newWidth, newHeight]) {
  const between = new Float32Array(4 * newWidth * height);
  reduce(pixels, between, weights(width, newWidth), height,
    { source: 4, target: 4 }, { source: 4 * width, target: 4 * newWidth });
  const canvas = makeCanvas([newWidth, newHeight]);
  const context = canvas.getContext("2d");
  const image = context.createImageData(newWidth, newHeight);
  image.data.fill(255); // clipped and rounded by the array
  reduce(between, image.data, weights(height, newHeight), newWidth,
    { source: 4 * newWidth, target: 4 * newWidth }, { source: 4, target: 4 });
  context.putImageData(image, 0, 0);
  return canvas;
}
