// How much of a result is shown, and in whose colours: the sums of nst/inference/blend.py.

const TINY = 1e-6; // a grey pixel has no chroma to divide by

const luma = (red, green, blue) => 0.299 * red + 0.587 * green + 0.114 * blue; // of BT.601

/**
 * The result, mixed with its photo: RGBA bytes, as both are.
 * @param strength 0 gives the photo, 1 the result
 * @param keepColours only the luma is the result's, the chroma is the photo's
 */
export function mix(photo, result, strength, keepColours) {
  const mixed = new Uint8ClampedArray(result.length).fill(255);
  for (let at = 0; at < result.length; at += 4) {
    const own = luma(photo[at], photo[at + 1], photo[at + 2]);
    const bright = luma(result[at], result[at + 1], result[at + 2]);
    const fitting = keepColours ? fittingChroma(photo, at, own, bright) : 0;
    for (let channel = at; channel < at + 3; channel += 1) {
      const before = photo[channel];
      const after = keepColours ? bright + fitting * (before - own) : result[channel];
      mixed[channel] = Math.floor(before + strength * (after - before) + 0.5);
    }
  }
  return mixed;
}

/** How much of the photo's chroma, 0–1, fits into 0–255 with another luma. */
function fittingChroma(photo, at, own, bright) {
  const most = Math.max(photo[at], photo[at + 1], photo[at + 2]) - own;
  const least = own - Math.min(photo[at], photo[at + 1], photo[at + 2]);
  return Math.min((255 - bright) / Math.max(most, TINY), bright / Math.max(least, TINY), 1);
}
