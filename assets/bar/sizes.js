// What comes out of a photo at each size, and what it costs, before anybody has to wait for it.

const LEAST = 16; // px, which no side falls below

/** Python's: from exactly between two, the even one. */
function round(value) {
  const next = Math.round(value);
  return next - value === 0.5 && next % 2 ? next - 1 : next;
}

/** Width and height, as `limit_side` of nst/pictures/reading.py has them. */
function reduced(size, side) {
  const scale = side / Math.max(...size);
  return scale < 1 ? size.map((length) => Math.max(LEAST, round(length * scale))) : size;
}

/** Width and height of a file as this browser shows it, upright; null where it does not. */
export async function sizeOf(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  try {
    await new Promise((done, fail) => Object.assign(picture, { onload: done, onerror: fail }));
    return [picture.naturalWidth, picture.naturalHeight];
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(picture.src);
  }
}

const timeInWords = (seconds) =>
  seconds < 100 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

/**
 * A size in words; its time where that is more than `small` px, the largest that comes at once.
 * @param {number} rate seconds for a megapixel of the largest pictures; NaN where nobody knows
 */
export function sizeInWords(side, size, small, rate) {
  if (!size) return `${side} px`;
  const [width, height] = reduced(size, side);
  const isLarge = Math.max(width, height) > small && rate > 0;
  const time = isLarge ? `, about ${timeInWords((rate * width * height) / 1e6)}` : "";
  return `${side} px: ${width}×${height}${time}`;
}
