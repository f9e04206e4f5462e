// The networks' times on the visitor's device.

import { openNetwork } from "../device/opening.js";

const WARM_UP = 2; // pictures of each network
const REPEATS = 10;
const AT_LEAST = 3; // repeats, where the device is so slow that they take longer than
const LONG = 30_000; // ms

/**
 * Measures warm networks from pixels to pixels, interleaved, so that a busy device hurts all alike.
 * @param networks of each its name and address
 * @param {(words: string) => boolean} goesOn hears what comes next, and may end it
 * @returns what was found out, or null when it was ended
 * @throws {Error} its message is a sentence for the visitor
 */
export async function measure(networks, side, goesOn) {
  const engines = new Map();
  try {
    for (const [name, address] of networks) {
      if (!goesOn(`Loading ${name} …`)) return null;
      engines.set(name, await openNetwork(address));
    }
    const times = await timesOf(engines, pattern(side), goesOn);
    const [{ name, software }] = engines.values();
    return times && { device: { name, software }, side, times };
  } finally {
    for (const engine of engines.values()) engine.close();
  }
}

/** Milliseconds of each repeat, by network. */
async function timesOf(engines, picture, goesOn) {
  const times = Object.fromEntries([...engines.keys()].map((name) => [name, []]));
  let began = 0;
  for (let round = 1 - WARM_UP; round <= REPEATS; round++) {
    if (round === 1) began = performance.now();
    if (round > AT_LEAST && performance.now() - began > LONG) break;
    const what = round < 1 ? "warming up" : `picture ${round} of ${REPEATS}`;
    for (const [name, engine] of engines) {
      if (!goesOn(`Measuring ${name}, ${what} …`)) return null;
      const start = performance.now();
      await engine.stylize(picture);
      if (round > 0) times[name].push(performance.now() - start);
    }
  }
  return times;
}

/** A picture with colours and edges. */
function pattern(side) {
  const picture = new ImageData(side, side);
  new Uint32Array(picture.data.buffer).forEach((_, at, pixels) => {
    pixels[at] = 0xff000000 + at * 2654435761 % 0x1000000;
  });
  return picture;
}

/** Lower quartile, median and upper quartile. */
export function quartiles(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return [0.25, 0.5, 0.75].map((share) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [Math.floor(place), Math.ceil(place)];
    return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
  });
}
