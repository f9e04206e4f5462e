// Pixels without a canvas, since some browsers scramble what a canvas gives back.

import { makeCanvas } from "../dom.js";
import { checksum } from "./zip.js";

const SIDE = 16;

/** Whether a canvas gives back what was drawn. Against tracking, some browsers give stripes or noise. */
export const canvasesCanBeRead = (() => {
  const context = makeCanvas([SIDE, SIDE]).getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  image.data.forEach((_, index) => (image.data[index] = index % 4 === 3 ? 255 : (index * 37) % 251));
  context.putImageData(image, 0, 0);
  const back = context.getImageData(0, 0, SIDE, SIDE).data;
  return back.every((value, index) => value === image.data[index]);
})();

const [IHDR, IDAT, IEND, TEXT] = [0x49484452, 0x49444154, 0x49454e44, 0x74455874];
const [SIGNATURE, COLOUR_TYPE, RGBA] = [8, 25, 6]; // bytes, a place in the file, what may stand there

/** The chunks of a PNG, each { kind, bytes } with its length, kind and checksum. */
function chunksOf(file) {
  const head = new DataView(file);
  const chunks = [];
  for (let at = SIGNATURE; at < file.byteLength; at += chunks.at(-1).bytes.length) {
    chunks.push({ kind: head.getUint32(at + 4), bytes: new Uint8Array(file, at, 12 + head.getUint32(at)) });
  }
  return chunks;
}

/** One of the server's PNGs without what is written beside its pixels. */
export async function pixelsOnly(blob) {
  const file = await blob.arrayBuffer();
  const kept = chunksOf(file).filter(({ kind }) => [IHDR, IDAT, IEND].includes(kind));
  return new Blob([file.slice(0, SIGNATURE), ...kept.map(({ bytes }) => bytes)]);
}

/** What the server has written into one of its PNGs, as "Network: v4". */
export async function textsOf(blob) {
  const latin = new TextDecoder("latin1");
  return chunksOf(await blob.arrayBuffer()).filter(({ kind }) => kind === TEXT)
    .map(({ bytes }) => latin.decode(bytes.subarray(8, -4)).replace("\0", ": "));
}

/** A PNG with a description beside its pixels. */
export async function withDescription(blob, words) {
  const content = new TextEncoder().encode(`iTXtDescription\0\0\0\0\0${words}`);
  const header = SIGNATURE + 25; // bytes; IHDR has to come first
  const chunk = [bigEndian(content.length - 4), content, bigEndian(checksum(content))];
  return new Blob([blob.slice(0, header), ...chunk, blob.slice(header)], { type: blob.type });
}

function bigEndian(value) {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, value);
  return bytes;
}

/** Whether one of the server's PNGs has an alpha channel. */
export async function isTransparent(blob) {
  const [type] = new Uint8Array(await blob.slice(COLOUR_TYPE, COLOUR_TYPE + 1).arrayBuffer());
  return type === RGBA;
}

/** The bytes of one of the server's PNGs as RGBA on white: 8 bits of red, green, blue and maybe alpha. */
export async function decodePng(blob) {
  const file = await blob.arrayBuffer();
  const head = new DataView(file);
  const parts = chunksOf(file).filter(({ kind }) => kind === IDAT)
    .map(({ bytes }) => bytes.subarray(8, -4));
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(stream).arrayBuffer());
  return unfilter(lines, head.getUint32(16), head.getUint32(20), head.getUint8(COLOUR_TYPE) === RGBA ? 4 : 3);
}

function unfilter(lines, width, height, channels) {
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  const length = channels * width;
  let above = new Uint8Array(length);
  for (let row = 0; row < height; row += 1) {
    const start = row * (length + 1);
    const line = lines.subarray(start + 1, start + 1 + length);
    undoFilter(lines[start], line, above, channels);
    for (let pixel = 0; pixel < width; pixel += 1) {
      const from = channels * pixel;
      const alpha = channels === 4 ? line[from + 3] / 255 : 1;
      for (let at = 0; at < 3; at += 1) {
        pixels[4 * (row * width + pixel) + at] = 255 + alpha * (line[from + at] - 255);
      }
    }
    above = line;
  }
  return pixels;
}

/** In place; the names are those of PNG's specification. */
function undoFilter(filter, line, above, channels) {
  for (let at = 0; at < line.length; at += 1) {
    const left = at < channels ? 0 : line[at - channels];
    const up = above[at];
    const corner = at < channels ? 0 : above[at - channels];
    if (filter === 1) line[at] += left;
    else if (filter === 2) line[at] += up;
    else if (filter === 3) line[at] += (left + up) >> 1;
    else if (filter === 4) line[at] += paeth(left, up, corner);
  }
}

function paeth(left, up, corner) {
  const [byLeft, byUp] = [Math.abs(up - corner), Math.abs(left - corner)];
  const byCorner = Math.abs(left + up - 2 * corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}
