// How parts of the page get the engine; no browser loads it before a visitor asks for it.

const OUT_OF_REACH = "The networks cannot be loaded; the server does not answer.";
const PATIENCE = 3000; // ms

/**
 * A network on the visitor's device.
 * @throws {Error} its message is a sentence for the visitor
 */
export async function openNetwork(address) {
  try {
    const { Engine } = await import("./engine.js");
    return await Engine.open(new URL(address, document.baseURI).href);
  } catch (error) {
    throw error.reason ? error : new Error(OUT_OF_REACH, { cause: error });
  }
}

/** Whether the device has a GPU of its own that pages may use, as far as the browser says soon. */
export function hasGpu() {
  const no = new Promise((resolve) => setTimeout(resolve, PATIENCE, false));
  return Promise.race([findGpu().catch(() => false), no]);
}

async function findGpu() {
  const { useDevice } = await import("./device.js");
  const device = await useDevice();
  device.release();
  return !device.software;
}

/** The device's name as it is shown. */
export const nameOf = ({ name, software }) =>
  software ? `${name}, a software adapter: the processor does a GPU’s work` : name;
