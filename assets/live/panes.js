// The panes: what each network makes of the frames, how many a second, and how long that takes.

const RATE_OVER = 3000; // ms

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

class Pane {
  name = "";
  #shown = []; // of each picture: when, how long its way was, and the network's time, in ms

  constructor(figure) {
    this.figure = figure;
    this.canvas = figure.querySelector("canvas");
  }

  /** What it shows from now on; `network` has a name and a few words, or there is none. */
  describe(network) {
    this.figure.hidden = !network;
    this.forget();
    if (!network) return;
    const [name, words] = network;
    this.name = name;
    this.#write("h3", name);
    this.#write(".facts", words);
    this.#write(".rate", "");
    this.canvas.setAttribute("aria-label", `as ${name} stylizes it`);
  }

  #write(selector, words) {
    this.figure.querySelector(selector).textContent = words;
  }

  forget() {
    this.#shown = [];
  }

  draw(bitmap) {
    const { canvas } = this;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.parentElement.style.setProperty("--shape", bitmap.width / bitmap.height);
    }
    canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
  }

  note(times) {
    this.#shown.push({ at: performance.now(), ...times });
  }

  tellRate() {
    const shown = this.#shown;
    while (shown.length > 2 && shown[0].at < performance.now() - RATE_OVER) shown.shift();
    if (shown.length < 2) return;
    const rate = (1000 * (shown.length - 1)) / (shown.at(-1).at - shown[0].at);
    const network = mean(shown.map((picture) => picture.network)).toFixed(0);
    const way = mean(shown.map((picture) => picture.way)).toFixed(0);
    const digits = rate < 1 ? 2 : rate < 10 ? 1 : 0;
    this.#write(
      ".rate", `${rate.toFixed(digits)} frames a second · network ${network} ms · round trip ${way} ms`);
  }
}

export class Panes {
  #all;

  constructor(element) {
    this.#all = [...element.querySelectorAll("figure")].map((figure) => new Pane(figure));
  }

  /** Those that have a network. */
  get seen() {
    return this.#all.filter(({ figure }) => !figure.hidden);
  }

  describe(networks) {
    this.#all.forEach((pane, index) => pane.describe(networks[index]));
  }

  forget() {
    for (const pane of this.#all) pane.forget();
  }

  tellRates() {
    for (const pane of this.#all) pane.tellRate();
  }

  /** A stylized picture, and how long it took; `name` is a network's that may be gone by now. */
  draw(name, bitmap, times = null) {
    const pane = this.seen.find((one) => one.name === name);
    pane?.draw(bitmap);
    if (times) pane?.note(times);
  }
}
