// "Measure on this device": the visitor's times beside the server's and the paper's.

import { nameOf } from "../device/opening.js";
import { Part } from "../dom.js";
import { measure, quartiles } from "./measuring.js";
import { drawBars, drawTable, textOf } from "./times.js";

export function start({ element, props }) {
  const panel = new Panel(element, props);
  panel.on(".stop", "click", () => panel.stop());
  panel.on(".copy", "click", () => panel.copy());
  document.addEventListener("measure-on-device", ({ detail: side }) => panel.measure(side));
  const server = document.querySelector("#server-latency");
  new MutationObserver(() => panel.draw()).observe(server, { childList: true, subtree: true });
}

class Panel extends Part {
  #running = false;
  #stopped = false;
  #found = null;

  constructor(element, { networks, paper }) {
    super(element);
    Object.assign(this, { networks, paper });
  }

  async measure(side) {
    if (this.#running) return;
    [this.#running, this.#stopped] = [true, false];
    this.find(".stop").hidden = false;
    try {
      const found = await measure(this.networks, side, (words) => this.#goesOn(words));
      this.#found = found ?? this.#found;
      this.say(found ? `Measured on ${nameOf(found.device)}.` : "Stopped.");
    } catch (error) {
      this.say(error.message, true);
    }
    this.#running = false;
    this.find(".stop").hidden = true;
    this.draw();
  }

  /** A tab that nobody sees gets no time from the browser. */
  #goesOn(words) {
    this.say(words);
    return !this.#stopped && !document.hidden;
  }

  stop() {
    this.#stopped = true;
    this.say("Stopping …");
  }

  draw() {
    if (!this.#found) return;
    this.find(".copy").hidden = false;
    this.find(".times").replaceChildren(drawBars(this.#rows()), drawTable(this.#rows(), this.#found));
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(textOf(this.#rows(), this.#found));
      this.say("Copied.");
    } catch {
      this.say("The browser does not let this page copy.", true);
    }
  }

  /** Of each network its quartiles here, and the server's and the paper's times of that size. */
  #rows() {
    const { side, times } = this.#found;
    const server = JSON.parse(document.querySelector("#server-latency [data-measured]")?.dataset.measured ?? "{}");
    return this.networks.map(([name]) => ({
      name,
      here: quartiles(times[name]),
      server: server.side === side ? server.medians[name] : undefined,
      paper: this.paper.side === side ? this.paper.milliseconds[name] : undefined,
    }));
  }
}
