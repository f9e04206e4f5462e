// What pictures of one size need on the GPU; kept from one picture to the next.

import { DeviceError } from "./device.js";
import { groupsOf, partsOf } from "./kernels.js";

const VALUE = 16; // bytes of four channels
const PART = 48; // bytes of some pixels' statistics
const STRIDE = 4; // sides inside are multiples of it
const ROW = 256; // bytes; a texture's row in a buffer, and where a binding begins, are multiples
const TIMES = 16; // bytes of when the kernels began and ended, in ns of the GPU's own clock

const upTo = (multiple, size) => Math.ceil(size / multiple) * multiple;

export class Plan {
  #gpu;
  #steps;
  #groups;
  #picture;
  #times = null; // where the GPU has a clock
  #resolved = null;
  #bindings;
  #made = []; // all that has to be destroyed

  /** @throws {DeviceError} the size is too large for the device, or for its memory */
  static async make(device, network, width, height) {
    const padded = [width, height].map((side) => upTo(STRIDE, side));
    const blocks = (padded[0] * padded[1]) / STRIDE ** 2;
    const sizes = network.buffers.map((size) => size * blocks * VALUE);
    const { limits } = device.gpu;
    const largest = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    if (Math.max(...sizes) > largest || Math.max(...padded) > limits.maxTextureDimension2D) {
      const size = `${width}×${height} px`;
      throw new DeviceError("large", `${size} is too large a picture for this device's graphics.`);
    }
    const plan = new Plan();
    try {
      await device.checked(() => plan.#allocate(device, network, [width, height], padded, sizes));
    } catch (error) {
      plan.destroy();
      throw error;
    }
    return plan;
  }

  fits(width, height) {
    return this.width === width && this.height === height;
  }

  /** From `source` to `picture`, then into `result`. */
  run() {
    const encoder = this.#gpu.createCommandEncoder();
    const places = { beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    const times = this.#times && { querySet: this.#times, ...places };
    const pass = encoder.beginComputePass(times ? { timestampWrites: times } : {});
    this.#steps.forEach(({ pipeline }, at) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#bindings[at]);
      pass.dispatchWorkgroups(...this.#groups[at]);
    });
    pass.end();
    const result = { buffer: this.result, bytesPerRow: this.bytesPerRow };
    encoder.copyTextureToBuffer({ texture: this.#picture }, result, [this.width, this.height]);
    if (times) {
      encoder.resolveQuerySet(this.#times, 0, 2, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.result, this.pictureSize, TIMES);
    }
    this.#gpu.queue.submit([encoder.finish()]);
  }

  /** The picture that lies in `result`, when it is there, and the kernels' ms by the GPU's clock. */
  async read() {
    await this.result.mapAsync(GPUMapMode.READ);
    const range = this.result.getMappedRange();
    const picture = new ImageData(this.width, this.height);
    for (let row = 0; row < this.height; row++) {
      const bytes = new Uint8Array(range, row * this.bytesPerRow, this.width * 4);
      picture.data.set(bytes, row * this.width * 4);
    }
    const [began, ended] = this.#times ? new BigUint64Array(range, this.pictureSize, 2) : [0n, 0n];
    this.result.unmap();
    return { picture, milliseconds: ended > began ? Number(ended - began) / 1e6 : null };
  }

  destroy() {
    for (const one of this.#made) one.destroy();
  }

  #allocate({ gpu, hasClock }, { steps, weights, merged }, [width, height], padded, sizes) {
    Object.assign(this, { width, height, bytesPerRow: upTo(ROW, width * 4) });
    this.#gpu = gpu;
    this.#steps = steps;
    this.#groups = steps.map(({ op }) => groupsOf(op, padded));
    this.#allocateTextures();
    if (hasClock) this.#allocateTimes();
    const parts = steps.map(({ op }, at) => partsOf(op, this.#groups[at], merged) * PART);
    const norms = steps.filter(({ op }) => op.kind === "norm").map(({ op }) => op.channels * 8);
    const normSize = upTo(ROW, Math.max(...norms, 1));
    const normBuffer = this.#buffer(normSize * Math.max(norms.length, 1));
    const partsBuffer = this.#buffer(Math.max(...parts, PART));
    const values = sizes.map((size) => this.#buffer(size));
    const sides = this.#buffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    gpu.queue.writeBuffer(sides, 0, new Int32Array([width, height, ...padded]));

    const value = (number) => ({ buffer: values[number] });
    const norm = (number) => ({ buffer: normBuffer, offset: number * normSize, size: normSize });
    const resources = {
      sizes: () => ({ buffer: sides }),
      source: () => this.source.createView(),
      picture: () => this.#picture.createView(),
      input: (op) => value(op.inputs[0].value),
      other: (op) => value(op.inputs[1].value),
      output: (op) => value(op.output),
      weights: (op) => ({ buffer: weights, offset: op.weights * 4 }),
      norm: (op) => norm(op.inputs[0].norm),
      otherNorm: (op) => norm(op.inputs[1].norm),
      newNorm: (op) => norm(op.norm),
      parts: (op, at) => ({ buffer: partsBuffer, size: parts[at - 1] }),
      newParts: (op, at) => ({ buffer: partsBuffer, size: parts[at] }),
    };
    this.#bindings = steps.map(({ op, pipeline, names }, at) => {
      const entries = names.map((name, binding) => ({ binding, resource: resources[name](op, at) }));
      return gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    });
  }

  #allocateTextures() {
    const usages = GPUTextureUsage;
    this.source = this.#texture(
      usages.TEXTURE_BINDING | usages.COPY_DST | usages.RENDER_ATTACHMENT); // for canvases
    this.#picture = this.#texture(usages.STORAGE_BINDING | usages.COPY_SRC);
    const read = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    this.pictureSize = this.bytesPerRow * this.height;
    this.result = this.#buffer(this.pictureSize + TIMES, read);
  }

  #allocateTimes() {
    this.#times = this.#keep(this.#gpu.createQuerySet({ type: "timestamp", count: 2 }));
    const { COPY_SRC, QUERY_RESOLVE } = GPUBufferUsage;
    this.#resolved = this.#buffer(TIMES, COPY_SRC | QUERY_RESOLVE);
  }

  #texture(usage) {
    const size = [this.width, this.height];
    return this.#keep(this.#gpu.createTexture({ size, format: "rgba8unorm", usage }));
  }

  #buffer(size, usage = GPUBufferUsage.STORAGE) {
    return this.#keep(this.#gpu.createBuffer({ size, usage }));
  }

  #keep(one) {
    this.#made.push(one);
    return one;
  }
}
