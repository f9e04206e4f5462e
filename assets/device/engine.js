// Paints pictures on the visitor's own GPU, as the programs of nst/device_program.py say.

import { DeviceError, useDevice } from "./device.js";
import { kernelOf } from "./kernels.js";
import { Plan } from "./plan.js";
import { download, parse } from "./program.js";

export { DeviceError };

export class Engine {
  #device;
  #network; // { steps, weights, buffers, merged }
  #plan = null;
  #last = Promise.resolve(); // calls come one after the other

  /** Of the last picture, by the GPU's own clock, without its way there and back; null: it has none. */
  milliseconds = null;

  /**
   * A network on the visitor's device.
   * @param {string | ArrayBuffer} program its bytes, or their address
   * @param {boolean?} merged how statistics are added up, as kernels.js says; for tests
   * @throws {DeviceError} the device cannot; another error: the program cannot be had
   */
  static async open(program, merged = null) {
    const device = await useDevice();
    try {
      const bytes = typeof program === "string" ? await download(program) : program;
      const network = await prepare(device, parse(bytes), merged ?? !device.software);
      return new Engine(device, network);
    } catch (error) {
      device.release();
      throw error;
    }
  }

  constructor(device, network) {
    this.#device = device;
    this.#network = network;
  }

  /** The GPU's name, as far as the browser tells it. */
  get name() {
    return this.#device.name;
  }

  /** Whether it is no GPU at all but a program on the CPU. */
  get software() {
    return this.#device.software;
  }

  /**
   * A picture of at least 16 px a side, on white where it is transparent. Videos go through a canvas:
   * a software adapter cannot read them.
   * @param {ImageData | ImageBitmap | HTMLCanvasElement | OffscreenCanvas} source or any
   *   { data, width, height } with bytes red, green, blue, alpha
   * @returns {Promise<ImageData>}
   * @throws {DeviceError}
   */
  stylize(source) {
    const { width, height } = source;
    const size = [width, height];
    return this.#inTurn(async () => {
      const plan = await this.#planFor(width, height);
      const { queue } = this.#device.gpu;
      await this.#device.checked(() => {
        const texture = { texture: plan.source };
        if (source.data) queue.writeTexture(texture, source.data, { bytesPerRow: width * 4 }, size);
        else queue.copyExternalImageToTexture({ source }, texture, size);
        plan.run();
      });
      const { picture, milliseconds } = await plan.read().catch((error) => {
        throw this.#device.error(error);
      });
      this.milliseconds = milliseconds;
      return picture;
    });
  }

  /** Everything of this network leaves the GPU, when what was asked for before is done. */
  close() {
    return this.#inTurn(() => {
      this.#plan?.destroy();
      this.#network.weights.destroy();
      this.#device.release();
    });
  }

  #inTurn(work) {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #planFor(width, height) {
    if (this.#device.lost) throw this.#device.error();
    if (!this.#plan?.fits(width, height)) {
      this.#plan?.destroy();
      this.#plan = null; // also where the next one cannot be had
      this.#plan = await Plan.make(this.#device, this.#network, width, height);
    }
    return this.#plan;
  }
}

/** Compiles a program's kernels and takes its weights to the GPU. */
async function prepare(device, { operations, buffers, weights: values }, merged) {
  const takePicture = { kind: "take", inputs: [], output: 0 };
  const steps = await Promise.all([takePicture, ...operations].map(async (op) => {
    const { code, names } = kernelOf(op, merged);
    return { op, names, pipeline: await device.pipeline(code) };
  }));
  const weights = await device.checked(() => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = device.gpu.createBuffer({ size: values.byteLength, usage });
    device.gpu.queue.writeBuffer(buffer, 0, values);
    return buffer;
  });
  return { steps, buffers, weights, merged };
}
