// The networks' times on the visitor's device.

import { openNetwork } from "../device/opening.js";

const WARM_UP = 2; // pictures of each network
const REPEATS = 10;
const AT_LEAST = 3; // repeats, where the device is so slow that they take longer than
const LONG = 30_000; // ms

/**
 * Measures warm networks, interleaved, so that a busy device hurts all alike: by the GPU's clock, or
 * where it has none from pixels to pixels.
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
    const measured = await measureAll(engines, pattern(side), goesOn);
    const [{ name, software }] = engines.values();
    return measured && { device: { name, software }, side, ...measured };
  } finally {
    for (const engine of engines.values()) engine.close();
  }
}

/** Milliseconds of each repeat by network, and of the ways to the GPU and back if they are apart. */
async function measureAll(engines, picture, goesOn) {
  const times = Object.fromEntries([...engines.keys()].map((name) => [name, []]));
  const ways = [];
  let began = 0;
  for (let round = 1 - WARM_UP; round <= REPEATS; round++) {
    if (round === 1) began = performance.now();
    if (round > AT_LEAST && performance.now() - began > LONG) break;
    const what = round < 1 ? "warming up" : `picture ${round} of ${REPEATS}`;
    for (const [name, engine] of engines) {
      if (!goesOn(`Measuring ${name}, ${what} …`)) return null;
      const start = performance.now();
      await engine.stylize(picture);
      const all = performance.now() - start;
      if (round < 1) continue;
      times[name].push(engine.milliseconds ?? all);
      if (engine.milliseconds) ways.push(all - engine.milliseconds);
    }
  }
  return { times, ways };
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
