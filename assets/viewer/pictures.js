// Pictures as the browser decodes them, and what is computed from their pixels.

const decoded = new Map(); // address -> promise of { bitmap, pixels() }

/** Fetch and decode, once for each address; `pixels()` gives the RGBA bytes. */
function decode(address) {
  if (!decoded.has(address)) decoded.set(address, fetchPicture(address));
  return decoded.get(address);
}

async function fetchPicture(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`picture: ${answer.status}`);
  const bitmap = await createImageBitmap(await answer.blob());
  let bytes = null;
  return { bitmap, pixels: () => (bytes ??= readPixels(bitmap)) };
}

/** Free the pictures that are no longer shown. */
function forgetAllBut(addresses) {
  for (const [address, picture] of decoded) {
    if (addresses.includes(address)) continue;
    decoded.delete(address);
    picture.then(({ bitmap }) => bitmap.close(), () => {});
  }
}

function readPixels(bitmap) {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height).data;
}

/** gain · |first − second| for each channel, clipped at 255, and the mean without gain. */
function difference(first, second, gain) {
  const canvas = document.createElement("canvas");
  canvas.width = first.bitmap.width;
  canvas.height = first.bitmap.height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const [one, two, out] = [first.pixels(), second.pixels(), image.data];
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
  return { bitmap: canvas, mean: sum / (out.length * 0.75) };
}
