// How parts of the page get the engine; no browser loads it before a visitor asks for it.

const OUT_OF_REACH = "The networks cannot be loaded; the server does not answer.";
const PATIENCE = 3000; // ms

/**
 * A network on the visitor's device.
 * @throws {Error} its message is a sentence for the visitor
 */
export async function openNetwork(address) {
  return inWords(async () => {
    const { Engine } = await import("./engine.js");
    return Engine.open(new URL(address, document.baseURI).href);
  });
}

/**
 * The device itself, which keeps its compiled kernels until it is released.
 * @throws {Error} its message is a sentence for the visitor
 */
export async function holdDevice() {
  return inWords(async () => (await import("./device.js")).useDevice());
}

async function inWords(work) {
  try {
    return await work();
  } catch (error) {
    throw error.reason ? error : new Error(OUT_OF_REACH, { cause: error });
  }
}

/** What the device is, { name, software }, as far as the browser says soon; or null. */
export function findDevice() {
  const unknown = new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
  const known = holdDevice().then((device) => {
    device.release();
    return device;
  });
  return Promise.race([known.catch(() => null), unknown]);
}

/** Whether the device has a GPU of its own that pages may use. */
export async function hasGpu() {
  const device = await findDevice();
  return Boolean(device) && !device.software;
}

/** The device's name as it is shown. */
export const nameOf = ({ name, software }) =>
  software ? `${name}, a software adapter: the processor does a GPU’s work` : name;
