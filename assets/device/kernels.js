// WGSL for the operations that nst/device_program.py writes.

import { COLUMNS, isTransposed, kernel, lines, phasesOf, quadsOf, range, ROWS, THREADS, tile } from "./wgsl.js";

const SOME = 8; // parts of statistics that one thread merges

/** An operation's kernel. */
export function kernelOf(op, merged) {
  switch (op.kind) {
    case "take": return takePicture();
    case "convolution": return convolution(op, merged);
    case "norm": return norm(op);
    case "sum": return sum(op);
  }
}

/** In how many workgroups it runs, along x, y and z, for a picture of these padded sides. */
export function groupsOf(op, [columns, rows]) {
  switch (op.kind) {
    case "take": return [Math.ceil(columns / COLUMNS), Math.ceil(rows / ROWS)];
    case "norm": return [quadsOf(op.channels)];
    case "sum": {
      const pixels = (columns * rows) / op.scale ** 2;
      return [Math.ceil(pixels / THREADS), quadsOf(op.channels)];
    }
  }
  const { pixels, quads } = tile(op);
  const scale = op.scales[isTransposed(op) ? 0 : 1];
  return [
    Math.ceil(columns / scale / COLUMNS),
    Math.ceil(rows / scale / (ROWS * pixels)),
    (quadsOf(op.channels[1]) / quads) * phasesOf(op),
  ];
}

/** How many parts of statistics it leaves. */
export function partsOf(op, [columns, rows, depth], merged) {
  return op.statistics ? columns * rows * depth * tile(op).quads * (merged ? 1 : THREADS) : 0;
}

/** The picture on white, made larger by reflection where its sides are no multiples of 4. */
const takePicture = () => kernel(["sizes", "source", "output"], `
@compute @workgroup_size(${COLUMNS}, ${ROWS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = vec2i(id.xy);
  if (any(place >= sizes.padded)) { return; }
  let inside = vec2i(reflect(place.x, sizes.picture.x), reflect(place.y, sizes.picture.y));
  let pixel = textureLoad(source, inside, 0);
  output[place.y * sizes.padded.x + place.x] = vec4f(mix(vec3f(1), pixel.rgb, pixel.a), 0);
}`);

/** What the next operation sees of a value: the norm between them and its ReLU are applied. */
function viewed(view, value, scale, shift) {
  const scaled = view.norm === null ? value : `(${value} * ${scale} + ${shift})`;
  return view.relu ? `max(${scaled}, vec4f())` : scaled;
}

const load = (op, row, column) =>
  viewed(op.inputs[0], `input[plane + (${row}) * before.x + ${column}]`, "scale", "shift");

/**
 * A convolution of any kind.
 * @param {boolean} merged whether statistics of a workgroup's threads are merged before they are
 *   written: less to write, but a CPU, which runs threads one after the other, pays for barriers
 */
function convolution(op, merged) {
  const { pixels, quads } = tile(op);
  const [quadsIn, quadsOut] = op.channels.map(quadsOf);
  const transposed = isTransposed(op);
  const names = ["sizes", "input", "weights", op.output === null ? "picture" : "output"];
  const normed = op.inputs[0].norm !== null;
  if (normed) names.push("norm");
  if (op.statistics) names.push("newParts");
  return kernel(names, `
${op.statistics && merged ? `var<workgroup> own: array<Part, ${THREADS * quads}>;` : ""}
@compute @workgroup_size(${COLUMNS}, ${ROWS})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let before = sizes.padded / ${op.scales[0]};
  let after = sizes.padded / ${op.scales[1]};
  let grid = ${transposed ? "before" : "after"};
  let phase = ${transposed ? "vec2i(group.zz) / vec2i(1, 2) % 2" : "vec2i()"};
  let quad = i32(group.z) / ${phasesOf(op)} * ${quads};
  let left = i32(group.x * ${COLUMNS} + local.x);
  let top = i32(group.y * ${ROWS} + local.y) * ${pixels};
  ${lines(quads, (q) => lines(pixels, (p) => `var sum${q}${p} = weights[quad + ${q}];`))}
  if (left < grid.x && top < grid.y) {
    ${op.depthwise ? "let quadIn = quad;" : `for (var quadIn = 0; quadIn < ${quadsIn}; quadIn++)`} {
      ${normed ? "let scale = norm[2 * quadIn]; let shift = norm[2 * quadIn + 1];" : ""}
      let plane = quadIn * before.x * before.y;
      ${transposed ? transposedTaps(op) : taps(op)}
    }
    ${op.output === null ? paint(op) : write(op)}
  }
  ${op.statistics ? statistics(op, merged) : ""}
}`);
}

/** Every tap of the kernel; the input goes on by reflection, and its pixels may be repeated. */
function taps(op) {
  const { pixels } = tile(op);
  const { kernel: side, stride, padding } = op;
  const repeats = op.upsampling === "nearest" ? 2 : 1;
  const along = (place, axis) => {
    const inside = side === 1 ? place : `reflect(${place}, before.${axis} * ${repeats})`;
    return repeats === 1 ? inside : `${inside} / ${repeats}`;
  };
  const rows = (pixels - 1) * stride + side; // that a thread's pixels see
  const row = (r) => {
    const place = along(`top * ${stride} + ${r - padding}`, "y");
    return `let value${r} = ${load(op, place, "column")};`;
  };
  const column = (x) => `
    let column = ${along(`left * ${stride} + ${x} - ${padding}`, "x")};
    ${lines(rows, row)}
    ${lines(side, (y) => multiply(op, x, y, (p) => `value${p * stride + y}`))}`;
  // Unrolled as far as a CPU's compiler likes it: every turn of a loop stores and loads all sums.
  return side === 1 ? column(0) : `for (var x = 0; x < ${side}; x++) {${column("x")}}`;
}

/** A quarter of the taps in each phase: those of the pixels (2 left, 2 top) + phase. */
function transposedTaps(op) {
  const { pixels } = tile(op);
  const { kernel: side, padding } = op;
  const value = (p) => `
      let row${p} = top + ${p} + down;
      let inside${p} = inside && row${p} >= 0 && row${p} < before.y;
      let value${p} = select(vec4f(), ${load(op, `row${p}`, "column")}, inside${p});`;
  return `
  for (var x = (phase.x + ${padding}) % 2; x < ${side}; x += 2) {
    let column = left + (phase.x + ${padding} - x) / 2;
    let inside = column >= 0 && column < before.x;
    for (var y = (phase.y + ${padding}) % 2; y < ${side}; y += 2) {
      let down = (phase.y + ${padding} - y) / 2;
      ${lines(pixels, value)}
      ${multiply(op, "x", "y", (p) => `value${p}`)}
    }
  }`;
}

/** One tap's weights times the values that the pixels have there. */
function multiply(op, x, y, value) {
  const { pixels, quads } = tile(op);
  const [quadsIn, quadsOut] = op.channels.map(quadsOf);
  const { kernel: side } = op;
  if (op.depthwise) {
    return `{
      let weight = weights[${quadsOut} + (quad * ${side} + ${x}) * ${side} + ${y}];
      ${lines(pixels, (p) => `sum0${p} += weight * ${value(p)};`)}
    }`;
  }
  const lanes = Math.min(op.channels[0], 4);
  const product = (p) =>
    range(lanes).map((lane) => `weight${lane} * ${value(p)}.${"xyzw"[lane]}`).join(" + ");
  return lines(quads, (q) => `{
      let tap = (((quad + ${q}) * ${quadsIn} + quadIn) * ${side} + ${x}) * ${side} + ${y};
      let at = ${quadsOut} + tap * ${lanes};
      ${lines(lanes, (lane) => `let weight${lane} = weights[at + ${lane}];`)}
      ${lines(pixels, (p) => `sum${q}${p} += ${product(p)};`)}
    }`);
}

function write(op) {
  const { pixels, quads } = tile(op);
  const steps = isTransposed(op) ? 2 : 1;
  return lines(pixels, (p) => `
    if (top + ${p} < grid.y) {
      let place = vec2i(left, top + ${p}) * ${steps} + phase;
      let at = (quad * after.y + place.y) * after.x + place.x;
      ${lines(quads, (q) => `output[at + ${q} * after.x * after.y] = sum${q}${p};`)}
    }`);
}

/** Red, green, blue; or twelve channels that are the red, green and blue of 2×2 pixels. */
function paint(op) {
  const { pixels } = tile(op);
  if (!op.shuffle) {
    const place = (p) => `vec2i(left, top + ${p})`;
    return lines(pixels, (p) => `textureStore(picture, ${place(p)}, vec4f(sum0${p}.xyz, 1));`);
  }
  const pixel = (p, corner) => {
    const colours = range(3).map((quad) => `sum${quad}${p}.${"xyzw"[corner]}`);
    const place = `2 * vec2i(left, top + ${p}) + vec2i(${corner % 2}, ${corner >> 1})`;
    return `textureStore(picture, ${place}, vec4f(${colours}, 1));`;
  };
  return lines(pixels, (p) => lines(4, (corner) => pixel(p, corner)));
}

/** The statistics of several parts as those of one (Chan, Golub and LeVeque, 1983), in `whole`. */
const merge = (from, start, step, end) => `
  var whole = Part();
  for (var i = u32(${start}); i < ${end}; i += ${step}) {
    let part = ${from}[i];
    whole.mean += part.count * part.mean;
    whole.count += part.count;
  }
  whole.mean /= max(whole.count, 1);
  for (var i = u32(${start}); i < ${end}; i += ${step}) {
    let part = ${from}[i];
    let away = part.mean - whole.mean;
    whole.squares += part.squares + part.count * away * away;
  }`;

/** Merges all threads' parts; `use` gets those of a quad as `whole`, in the thread of its number. */
const mergeThreads = (quads, use) => `
  workgroupBarrier();
  if (thread < ${(THREADS / SOME) * quads}) {
    ${merge("own", `thread * ${SOME}`, 1, `thread * ${SOME} + ${SOME}`)}
    own[thread * ${SOME}] = whole;
  }
  workgroupBarrier();
  if (thread < ${quads}) {
    ${merge("own", `thread * ${THREADS}`, SOME, `thread * ${THREADS} + ${THREADS}`)}
    ${use}
  }`;

/** Of what a thread has made, for the norm that follows. */
function statistics(op, merged) {
  const { pixels, quads } = tile(op);
  const phases = phasesOf(op);
  const valid = (p, value) => `select(vec4f(), ${value}, ${p} < count)`;
  const part = (q) => {
    const sum = range(pixels).map((p) => valid(p, `sum${q}${p}`)).join(" + ");
    const squares = range(pixels).map((p) => valid(p, `away${p} * away${p}`)).join(" + ");
    const place = merged ? `own[thread + ${q * THREADS}]` : `newParts[start + ${q} * parts]`;
    return `{
      let mean = (${sum}) / f32(max(count, 1));
      ${lines(pixels, (p) => `let away${p} = sum${q}${p} - mean;`)}
      ${place} = Part(mean, ${squares}, f32(count));
    }`;
  };
  return `
  let count = select(0, clamp(grid.y - top, 0, ${pixels}), left < grid.x);
  let parts = groups.x * groups.y * ${merged ? phases : phases * THREADS}; // of each quad
  let place = (group.z % ${phases} * groups.y + group.y) * groups.x + group.x;
  let start = u32(quad) * parts + place${merged ? "" : ` * ${THREADS} + thread`};
  ${lines(quads, part)}
  ${merged ? mergeThreads(quads, "newParts[start + thread * parts] = whole;") : ""}`;
}

/** Scale and shift of an instance norm, of one quad in each workgroup. */
const norm = (op) => kernel(["weights", "parts", "newNorm"], `
var<workgroup> own: array<Part, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let quad = group.x;
  let count = arrayLength(&parts) / ${quadsOf(op.channels)}; // of each quad
  {
    ${merge("parts", "quad * count + thread", THREADS, "(quad + 1) * count")}
    own[thread] = whole;
  }
  ${mergeThreads(1, `
    let scale = weights[quad] / sqrt(whole.squares / whole.count + ${op.eps});
    newNorm[2 * quad] = scale;
    newNorm[2 * quad + 1] = weights[quad + ${quadsOf(op.channels)}] - whole.mean * scale;`)}
}`);

/** Of two values, as a residual block has them. */
function sum(op) {
  const [one, two] = op.inputs;
  const names = ["sizes", "input", "other", "output"];
  if (one.norm !== null) names.push("norm");
  if (two.norm !== null) names.push("otherNorm");
  return kernel(names, `
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let side = vec2u(sizes.padded / ${op.scale});
  if (id.x >= side.x * side.y) { return; }
  let quad = id.y;
  let at = quad * side.x * side.y + id.x;
  output[at] = ${viewed(one, "input[at]", "norm[2 * quad]", "norm[2 * quad + 1]")}
    + ${viewed(two, "other[at]", "otherNorm[2 * quad]", "otherNorm[2 * quad + 1]")};
}`);
}
