// The visitor's GPU, which all networks share, or one sentence why there is none.

/** What cannot be done on this device; the message is a sentence for the visitor. */
export class DeviceError extends Error {
  /** @param {"unsupported" | "large" | "memory" | "lost" | "failed"} reason */
  constructor(reason, message, cause) {
    super(message, { cause });
    this.name = "DeviceError";
    this.reason = reason;
  }
}

const NO_WEBGPU = "This browser has no WebGPU.";
const INSECURE = "Browsers give WebGPU only to pages with https:// and on localhost.";
const NO_ADAPTER = "This browser finds no graphics device that it can use with WebGPU.";
const MEMORY = "This device has too little graphics memory for a picture of this size.";
const LOST = "The browser took the graphics device away.";
const FAILED = "This device's graphics could not paint the picture.";
const LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize", "maxTextureDimension2D"];
const CLOCK = "timestamp-query"; // a feature that not every adapter has
let shared = null; // a promise of the Device

class Device {
  constructor(adapter, gpu) {
    const { info } = adapter;
    this.gpu = gpu;
    this.name = info.description || [info.vendor, info.architecture].filter(Boolean).join(" ");
    this.software = Boolean(info.isFallbackAdapter) || info.architecture === "swiftshader";
    this.hasClock = gpu.features.has(CLOCK);
    this.users = 0;
    this.lost = false;
    this.pipelines = new Map();
    gpu.lost.then(() => {
      this.lost = true;
    });
  }

  /** A kernel, ready to run; the same code is compiled once for all networks. */
  async pipeline(code) {
    if (!this.pipelines.has(code)) {
      const compute = { module: this.gpu.createShaderModule({ code }) };
      this.pipelines.set(code, this.gpu.createComputePipelineAsync({ layout: "auto", compute }));
    }
    try {
      return await this.pipelines.get(code);
    } catch (error) {
      throw this.error(error);
    }
  }

  /** What `work` gives, when the GPU has not refused it; it must not wait for anything. */
  async checked(work) {
    this.gpu.pushErrorScope("validation");
    this.gpu.pushErrorScope("out-of-memory");
    let result, failure;
    try {
      result = work();
    } catch (error) {
      failure = error; // such as for a canvas with a picture of another site
    }
    const scopes = [this.gpu.popErrorScope(), this.gpu.popErrorScope()];
    const [memory, invalid] = await Promise.all(scopes).catch((error) => [null, error]);
    if (memory && !this.lost) throw new DeviceError("memory", MEMORY, memory);
    if (failure ?? invalid) throw this.error(failure ?? invalid);
    return result;
  }

  /** What to tell of a failure whose cause may be that the device is lost. */
  error(cause) {
    const [reason, message] = this.lost ? ["lost", LOST] : ["failed", FAILED];
    return new DeviceError(reason, message, cause);
  }

  /** One user less; with the last one everything leaves the GPU. */
  release() {
    this.users -= 1;
    if (this.users > 0) return;
    this.lost = true;
    this.gpu.destroy();
  }
}

async function open() {
  if (!navigator.gpu) throw new DeviceError("unsupported", isSecureContext ? NO_WEBGPU : INSECURE);
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new DeviceError("unsupported", NO_ADAPTER);
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = [CLOCK].filter((name) => adapter.features.has(name));
  try {
    return new Device(adapter, await adapter.requestDevice({ requiredLimits, requiredFeatures }));
  } catch (error) {
    throw new DeviceError("unsupported", NO_ADAPTER, error);
  }
}

/** The device, for one user more; another one where it was lost. */
export async function useDevice() {
  const ours = (shared ??= open());
  const device = await ours.catch((error) => error);
  if (device instanceof Error || device.lost) {
    if (shared === ours) shared = null;
    if (device instanceof Error) throw device;
    return useDevice();
  }
  device.users += 1;
  return device;
}
