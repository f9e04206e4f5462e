// Paints pictures on the visitor's own GPU, as the programs of nst/device_program.py say.

import { DeviceError, useDevice } from "./device.js";
import { convolution, convolutionGroups, norm, partsOf, sum, takePicture } from "./kernels.js";

export { DeviceError };

const VALUE = 16; // bytes of four channels
const PART = 48; // bytes of some pixels' statistics
const STRIDE = 4; // sides inside are multiples of it
const ROW = 256; // bytes, of which a texture's row in a buffer takes a multiple
const KERNELS = { convolution, norm, sum };
const TAKE = { kind: "take", output: 0, inputs: [] };

const quadsOf = (channels) => Math.ceil(channels / 4);

export class Engine {
  #device;
  #operations;
  #program;
  #weights;
  #merged; // statistics, as kernels.js says
  #pipelines;
  #sized = null; // what the size of the pictures asks for
  #last = Promise.resolve(); // calls come one after the other

  /**
   * A network on the visitor's device.
   * @param {string | ArrayBuffer} program the bytes of a program, or their address
   * @throws {DeviceError} the device cannot; any other error: the program cannot be had
   */
  static async open(program, merged = null) {
    const device = await useDevice();
    try {
      const bytes = typeof program === "string" ? await download(program) : program;
      const engine = new Engine(device, parse(bytes), merged ?? !device.software);
      await engine.#compile();
      return engine;
    } catch (error) {
      device.release();
      throw error;
    }
  }

  constructor(device, program, merged) {
    this.#device = device;
    this.#merged = merged;
    this.#program = program;
    this.#operations = [TAKE, ...program.operations];
  }

  /** The GPU's name, as far as the browser tells it. */
  get name() {
    return this.#device.name;
  }

  /** Whether it is no GPU at all but a program on the CPU. */
  get software() {
    return this.#device.software;
  }

  async #compile() {
    const kernels = this.#operations.map((op) => (op === TAKE ? takePicture() : KERNELS[op.kind](op, this.#merged)));
    try {
      const pipelines = await Promise.all(kernels.map((kernel) => this.#device.pipeline(kernel)));
      this.#pipelines = pipelines.map((pipeline, at) => ({ pipeline, names: kernels[at].names }));
    } catch (error) {
      throw this.#device.error(error);
    }
    this.#weights = await this.#device.checked(() => {
      const { gpu } = this.#device;
      const weights = this.#program.weights;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
      const buffer = gpu.createBuffer({ size: weights.byteLength, usage });
      gpu.queue.writeBuffer(buffer, 0, weights);
      return buffer;
    });
    this.#program.weights = null; // they are on the GPU now
  }

  /**
   * A picture, of at least 16 px a side.
   * @param {ImageData} picture or any { data, width, height } with bytes R, G, B, A
   * @returns {Promise<ImageData>}
   * @throws {DeviceError}
   */
  stylize(picture) {
    return this.#inTurn(async () => {
      const { width, height, data } = picture;
      const sized = await this.#prepare(width, height);
      const { gpu } = this.#device;
      const bytesPerRow = Math.ceil((width * 4) / ROW) * ROW;
      await this.#device.checked(() => {
        const layout = { bytesPerRow: width * 4 };
        gpu.queue.writeTexture({ texture: sized.source }, data, layout, [width, height]);
        this.#run(sized, sized.picture.createView(), (encoder) => encoder.copyTextureToBuffer(
          { texture: sized.picture }, { buffer: sized.result, bytesPerRow }, [width, height]));
      });
      try {
        await sized.result.mapAsync(GPUMapMode.READ);
      } catch (error) {
        throw this.#device.error(error);
      }
      const rows = new Uint8Array(sized.result.getMappedRange());
      const painted = new ImageData(width, height);
      for (let row = 0; row < height; row++) {
        const start = row * bytesPerRow;
        painted.data.set(rows.subarray(start, start + width * 4), row * width * 4);
      }
      sized.result.unmap();
      return painted;
    });
  }

  /**
   * A picture straight into a canvas of its own, which takes its size; nothing comes back from the
   * GPU.
   * @param {ImageBitmap | HTMLVideoElement | VideoFrame | HTMLCanvasElement | ImageData} source
   * @throws {DeviceError}
   */
  draw(source, canvas) {
    return this.#inTurn(async () => {
      const width = source.videoWidth ?? source.displayWidth ?? source.width;
      const height = source.videoHeight ?? source.displayHeight ?? source.height;
      const sized = await this.#prepare(width, height);
      const { gpu } = this.#device;
      await this.#device.checked(() => {
        if (canvas.width !== width) canvas.width = width;
        if (canvas.height !== height) canvas.height = height;
        const context = canvas.getContext("webgpu");
        const usage = GPUTextureUsage.STORAGE_BINDING;
        context.configure({ device: gpu, format: "rgba8unorm", usage });
        gpu.queue.copyExternalImageToTexture({ source }, { texture: sized.source }, [width, height]);
        this.#run(sized, context.getCurrentTexture().createView());
      });
      await gpu.queue.onSubmittedWorkDone();
    });
  }

  /** Everything of this network leaves the GPU. */
  close() {
    this.#last = this.#last.then(() => {
      this.#forgetSize();
      this.#weights.destroy();
      this.#device.release();
    });
    return this.#last;
  }

  #inTurn(work) {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Buffers and textures for pictures of this size, kept for the next one. */
  async #prepare(width, height) {
    if (this.#device.lost) throw this.#device.error();
    if (this.#sized?.width === width && this.#sized.height === height) return this.#sized;
    this.#forgetSize();
    const padded = [width, height].map((side) => Math.ceil(side / STRIDE) * STRIDE);
    const sizes = this.#program.buffers.map((size) => (size * padded[0] * padded[1] * VALUE) / STRIDE ** 2);
    const { limits } = this.#device.gpu;
    const largest = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    if (Math.max(...sizes) > largest || Math.max(...padded) > limits.maxTextureDimension2D) {
      throw new DeviceError("large", `A picture of ${width}×${height} px is too large for this device's graphics.`);
    }
    const made = [];
    try {
      this.#sized = await this.#device.checked(() => this.#make(width, height, padded, sizes, made));
    } catch (error) {
      for (const one of made) one.destroy();
      throw error;
    }
    this.#sized.made = made;
    return this.#sized;
  }

  #make(width, height, padded, sizes, made) {
    const { gpu } = this.#device;
    const keep = (one) => (made.push(one), one);
    const buffer = (size, usage = GPUBufferUsage.STORAGE) => keep(gpu.createBuffer({ size, usage }));
    const texture = (usage) =>
      keep(gpu.createTexture({ size: [width, height], format: "rgba8unorm", usage }));
    const uniform = buffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    gpu.queue.writeBuffer(uniform, 0, new Int32Array([width, height, ...padded]));
    const U = GPUTextureUsage;
    const source = texture(U.TEXTURE_BINDING | U.COPY_DST | U.RENDER_ATTACHMENT);
    const picture = texture(U.STORAGE_BINDING | U.COPY_SRC);
    const rows = Math.ceil((width * 4) / ROW) * ROW * height;
    const result = buffer(rows, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    const groups = this.#operations.map((op) => groupsOf(op, padded));
    const parts = this.#operations.map((op, at) => partsOf(op, groups[at], this.#merged));
    const norms = this.#operations.filter((op) => op.kind === "norm");
    const normSize = Math.ceil(Math.max(ROW, ...norms.map((op) => op.channels * 8)) / ROW) * ROW;
    const whole = {
      values: sizes.map((size) => buffer(size)),
      norms: buffer(normSize * Math.max(norms.length, 1)),
      parts: buffer(PART * Math.max(1, ...parts)),
    };
    const normOf = (number) => ({ buffer: whole.norms, offset: number * normSize, size: normSize });
    const resources = {
      sizes: () => ({ buffer: uniform }),
      source: () => source.createView(),
      input: (op) => ({ buffer: whole.values[op.inputs[0].value] }),
      other: (op) => ({ buffer: whole.values[op.inputs[1].value] }),
      output: (op) => ({ buffer: whole.values[op.output] }),
      weights: (op) => ({ buffer: this.#weights, offset: op.weights * 4 }),
      norm: (op) => normOf(op.inputs[0].norm),
      otherNorm: (op) => normOf(op.inputs[1].norm),
      newNorm: (op) => normOf(op.norm),
      parts: (op, at) => ({ buffer: whole.parts, size: parts[at - 1] * PART }),
      newParts: (op, at) => ({ buffer: whole.parts, size: parts[at] * PART }),
    };
    const bind = (at, picture) => {
      const { pipeline, names } = this.#pipelines[at];
      const entries = names.map((name, binding) => ({
        binding,
        resource: name === "picture" ? picture : resources[name](this.#operations[at], at),
      }));
      return gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    };
    const last = this.#operations.length - 1; // its picture may be another one each time
    const bound = this.#operations.slice(0, last).map((op, at) => bind(at));
    return { width, height, source, picture, result, groups, bound, bindLast: (view) => bind(last, view) };
  }

  #run(sized, picture, after = () => {}) {
    const { gpu } = this.#device;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    [...sized.bound, sized.bindLast(picture)].forEach((bound, at) => {
      pass.setPipeline(this.#pipelines[at].pipeline);
      pass.setBindGroup(0, bound);
      pass.dispatchWorkgroups(...sized.groups[at]);
    });
    pass.end();
    after(encoder);
    gpu.queue.submit([encoder.finish()]);
  }

  #forgetSize() {
    for (const one of this.#sized?.made ?? []) one.destroy();
    this.#sized = null;
  }
}

function groupsOf(op, [columns, rows]) {
  switch (op.kind) {
    case "take": return [Math.ceil(columns / 16), Math.ceil(rows / 4)];
    case "convolution": return convolutionGroups(op, [columns, rows]);
    case "norm": return [quadsOf(op.channels)];
    case "sum": return [Math.ceil((columns * rows) / op.scale ** 2 / 64), quadsOf(op.channels)];
  }
}

async function download(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The network could not be loaded: ${answer.status}.`);
  return answer.arrayBuffer();
}

/** Operations, the sizes of buffers, and the weights in fp32. */
function parse(bytes) {
  const length = new DataView(bytes).getUint32(0, true);
  const { operations, buffers, pieces } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  const weights = new Float32Array(pieces.reduce((sum, [count]) => sum + count, 0));
  let [from, to] = [4 + length, 0];
  for (const [count, half] of pieces) {
    const values = half ? Float32Array.from(new Uint16Array(bytes, from, count), fromHalf) : new Float32Array(bytes, from, count);
    weights.set(values, to);
    from += count * (half ? 2 : 4);
    to += count;
  }
  return { operations, buffers, weights };
}

/** A number of its sixteen bits, which may be subnormal but neither infinite nor NaN. */
function fromHalf(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits >> 15 ? -size : size;
}
