// What all kernels are written with: how values lie in memory, and who computes which.
//
// An activation is array<vec4f>: for every four channels ("a quad") a plane of rows × columns.

export const COLUMNS = 16; // of threads in a workgroup, and
export const ROWS = 4;
export const THREADS = COLUMNS * ROWS;

const TYPES = {
  sizes: "<uniform> sizes: Sizes",
  source: " source: texture_2d<f32>",
  picture: " picture: texture_storage_2d<rgba8unorm, write>",
  input: "<storage, read> input: array<vec4f>",
  other: "<storage, read> other: array<vec4f>",
  output: "<storage, read_write> output: array<vec4f>",
  weights: "<storage, read> weights: array<vec4f>",
  norm: "<storage, read> norm: array<vec4f>",
  otherNorm: "<storage, read> otherNorm: array<vec4f>",
  newNorm: "<storage, read_write> newNorm: array<vec4f>",
  parts: "<storage, read> parts: array<Part>",
  newParts: "<storage, read_write> newParts: array<Part>",
};

const COMMON = `
struct Sizes { picture: vec2i, padded: vec2i } // columns, rows
struct Part { mean: vec4f, squares: vec4f, count: f32 } // of some pixels; squared differences
fn reflect(place: i32, side: i32) -> i32 { return side - 1 - abs(side - 1 - abs(place)); }
`;

/** Its code, and the names of what it binds, in the order of the bindings. */
export function kernel(names, body) {
  const bindings = names.map((name, at) => `@group(0) @binding(${at}) var${TYPES[name]};`);
  return { code: [COMMON, ...bindings, body].join("\n"), names };
}

export const range = (count) => [...Array(count).keys()];
export const lines = (count, line) => range(count).map(line).join("\n");
export const quadsOf = (channels) => Math.ceil(channels / 4);
export const isTransposed = (op) => op.upsampling === "transposed";
export const phasesOf = (op) => (isTransposed(op) ? 4 : 1); // pixels of 2×2 that threads do not share

/** How many pixels, one below the other, and how many quads of channels a thread makes. */
export function tile(op) {
  if (op.depthwise) return { pixels: 8, quads: 1 };
  return { pixels: 8, quads: [3, 2, 1].find((count) => quadsOf(op.channels[1]) % count === 0) };
}
