// The file of a network, as nst/device_program.py writes it.

export async function download(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The network could not be loaded (${answer.status}).`);
  return answer.arrayBuffer();
}

/** Operations, the sizes of buffers, and the weights in fp32. */
export function parse(bytes) {
  const length = new DataView(bytes).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(bytes, 4, length));
  const { operations, buffers, pieces } = JSON.parse(text);
  const weights = new Float32Array(pieces.reduce((sum, [count]) => sum + count, 0));
  let [read, written] = [4 + length, 0];
  for (const [count, half] of pieces) {
    const values = half
      ? Float32Array.from(new Uint16Array(bytes, read, count), fromHalf)
      : new Float32Array(bytes, read, count);
    weights.set(values, written);
    read += count * (half ? 2 : 4);
    written += count;
  }
  return { operations, buffers, weights };
}

/** A number from the bits of an fp16 that is neither infinite nor NaN. */
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits >> 15 ? -size : size;
}
