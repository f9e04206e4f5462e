// Pictures as the browser decodes them, and what is computed from their pixels.

import { makeCanvas } from "../dom.js";
import { canvasesCanBeRead, decodePng, isTransparent } from "./png.js";

/** Pictures by their address, fetched and decoded once. */
export class Pictures {
  #decoded = new Map(); // address -> promise of { address, blob, bitmap, pixels(), smooth() }

  get(address) {
    if (!this.#decoded.has(address)) this.#decoded.set(address, fetchPicture(address));
    return this.#decoded.get(address);
  }

  /** It is asked for again next time. */
  forget(address) {
    this.#decoded.delete(address);
  }

  /** Free the pictures that are no longer shown. */
  keepOnly(addresses) {
    for (const [address, picture] of this.#decoded) {
      if (addresses.includes(address)) continue;
      this.forget(address);
      picture.then(({ bitmap }) => bitmap.close(), () => {});
    }
  }
}

async function fetchPicture(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`picture: ${answer.status}`);
  const blob = await answer.blob(); // can be saved when the server has long deleted its file
  const bytes = canvasesCanBeRead ? null : await decodePng(blob);
  const bitmap = await createImageBitmap(blob);
  return { blob, address, ...asPicture(await isTransparent(blob) ? await onWhite(bitmap) : bitmap, bytes) };
}

/** As the networks saw it. */
function onWhite(bitmap) {
  const canvas = makeCanvas([bitmap.width, bitmap.height]);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  return createImageBitmap(canvas);
}

/** `pixels()` are the RGBA bytes, `smooth()` the same without strokes; made when they are needed. */
function asPicture(bitmap, bytes = null) {
  let calm = null;
  const pixels = () => (bytes ??= readPixels(bitmap));
  return { bitmap, pixels, smooth: () => (calm ??= smoothed(pixels(), bitmap.width, bitmap.height)) };
}

function readPixels(bitmap) {
  const { width, height } = bitmap;
  const context = makeCanvas([width, height]).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

const REACH = 6; // px: a mean over 13, which no stroke outlives

/** The mean of each pixel's square of 13 × 13 px, where it is cut off by the border of its rest. */
function smoothed(pixels, width, height) {
  const along = runningMeans(pixels, width, height, 4, 4 * width);
  return runningMeans(along, height, width, 4 * width, 4);
}

function runningMeans(source, length, lines, step, across) {
  const means = new Float32Array(source.length);
  for (let line = 0; line < lines; line += 1) {
    for (let channel = line * across; channel < line * across + 3; channel += 1) {
      let [sum, count] = [0, 0];
      for (let place = -REACH; place < length; place += 1) {
        const [entering, leaving] = [place + REACH, place - REACH - 1];
        if (entering < length) [sum, count] = [sum + source[channel + entering * step], count + 1];
        if (leaving >= 0) [sum, count] = [sum - source[channel + leaving * step], count - 1];
        if (place >= 0) means[channel + place * step] = sum / count;
      }
    }
  }
  return means;
}

/** gain · |first − second| for each channel, clipped at 255, and the mean without gain. */
export function difference(first, second, gain, calm) {
  const canvas = makeCanvas([first.bitmap.width, first.bitmap.height]);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const [one, two] = [first, second].map((picture) => (calm ? picture.smooth() : picture.pixels()));
  const out = image.data;
  let sum = 0;
  for (let index = 0; index < out.length; index += 4) {
    for (let channel = index; channel < index + 3; channel += 1) {
      const distance = Math.abs(one[channel] - two[channel]);
      sum += distance;
      out[channel] = distance * gain; // clipped by the array
    }
    out[index + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return { picture: asPicture(canvas, out), mean: sum / (out.length * 0.75) };
}
