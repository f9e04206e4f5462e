// One visit whose frames are stylized in this browser: nothing of them leaves the device.

import { nameOf, openNetwork } from "../device/opening.js";

const SERVER_CAN = "The server can stylize it instead: start again.";

export class DeviceVisit {
  #engines = new Map(); // by the network's position
  #over = false;

  /** `panel` says what is wanted, shows pictures and words, and hears of the end. */
  constructor(source, panel) {
    Object.assign(this, { source, panel });
  }

  async begin() {
    try {
      while (!this.#over) await this.#stylizeFrame(this.panel.wanted);
    } catch (error) {
      if (!this.#over) this.panel.way = "server";
      this.end(`${error.message} ${SERVER_CAN}`, true);
    }
    for (const engine of this.#engines.values()) engine.close();
  }

  async #stylizeFrame(wanted) {
    await this.#open(wanted);
    if (this.#over) return;
    this.source.draw(this.panel);
    const next = this.source.next(); // it may come while this one is being stylized
    const at = performance.now();
    for (const position of wanted) {
      const start = performance.now();
      const engine = this.#engines.get(position);
      const picture = await engine.stylize(this.source.frame);
      const network = engine.milliseconds ?? performance.now() - start;
      const bitmap = await createImageBitmap(picture);
      if (this.#over) return;
      this.panel.show(position, bitmap, { way: performance.now() - at, network });
    }
    await next;
  }

  /** These networks, and no others. */
  async #open(wanted) {
    const missing = wanted.filter((position) => !this.#engines.has(position));
    for (const position of missing) {
      if (this.#over) return;
      const [name, , address] = this.panel.networks[position];
      this.panel.say(`Loading ${name} …`);
      this.#engines.set(position, await openNetwork(address));
    }
    for (const [position, engine] of this.#engines) {
      if (wanted.includes(position)) continue;
      this.#engines.delete(position);
      engine.close();
    }
    if (!missing.length || this.#over) return;
    this.panel.say(`Live, on ${nameOf(this.#engines.get(missing[0]))}.`);
  }

  end(words, error = false) {
    if (this.#over) return;
    this.#over = true;
    this.source.stop();
    this.panel.ended(words, error);
  }
}
