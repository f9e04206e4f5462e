// The panes beside each other, their captions, the readout's rows, and pictures as they arrive.

import { make } from "../dom.js";
import { Pictures } from "./pictures.js";

const SCORE = "Grid of 4 px: 0 dB is noise, most photos have 0 to 4. Red spots: % of the yellow area. More in About.";

export class Panes {
  #pictures = new Pictures();

  /** `arrived` is called with every picture. */
  constructor(view, arrived) {
    [this.view, this.arrived] = [view, arrived];
  }

  /** An empty pane for each name. */
  build(names) {
    const { view } = this;
    view.entries = names.map(makeEntry);
    view.find(".panes").replaceChildren(...view.entries.map(({ figure }) => figure));
    view.find(".readout tbody").replaceChildren(...view.entries.map(({ row }) => row));
    view.layOut();
  }

  /** What the server says about the pictures, and those pictures that are there. */
  fill(panes, addresses) {
    this.#pictures.keepOnly(addresses);
    panes.forEach((pane, index) => this.#fill(this.view.entries[index], pane, addresses[index]));
  }

  #fill(entry, pane, address) {
    entry.facts.replaceChildren(...spans(pane.facts));
    entry.time.textContent = pane.time;
    entry.score.replaceChildren(...spans(pane.found?.score.split(" · ") ?? pane.unmeasured ?? []));
    entry.canvas.setAttribute("aria-label", pane.alt);
    entry.wait.textContent = address ? "" : this.view.props.value.waiting;
    entry.save.hidden = !address;
    if (address) Object.assign(entry.save, { href: address, download: pane.picture.orig_name });
    entry.found = pane.found ?? null;
    if (entry.address === address) return;
    [entry.address, entry.picture, entry.beside, entry.coming] = [address, null, null, null];
    if (!address) return;
    const coming = (entry.coming = this.#pictures.get(address));
    const isWanted = () => entry.coming === coming; // else it has been freed, even if asked for again
    coming.then(
      (picture) => isWanted() && this.#arrived(entry, picture), () => isWanted() && this.#failed(entry, address));
  }

  #arrived(entry, picture) {
    const { view } = this;
    const { viewport } = view;
    const size = [picture.bitmap.width, picture.bitmap.height];
    const same = viewport.size?.join() === size.join();
    entry.picture = picture;
    viewport.size = size;
    const wide = Math.max(size[0] / size[1], 0.6); // what is higher or flatter has room beside it
    view.element.style.setProperty("--wide", wide);
    view.element.style.setProperty("--shape", Math.min(wide, 2));
    if (same && !viewport.fitted) view.layOut();
    else view.resize();
    this.arrived();
    view.changed();
  }

  #failed(entry, address) {
    this.#pictures.forget(address);
    entry.address = null;
    entry.wait.textContent = "could not be loaded";
    entry.save.hidden = true; // the server has no file either
  }

  /** The readout: which pixel, and its colour in every picture. */
  draw() {
    const { cursor, entries, viewport } = this.view;
    const where = this.view.find(".where");
    if (!viewport.size) {
      where.textContent = "";
      return;
    }
    const [x, y] = this.view.spot;
    const words = `x ${x}, y ${y}${cursor ? "" : " (centre)"} at ${viewport.zoomInWords}`;
    if (where.textContent !== words) where.textContent = words;
    for (const entry of entries) {
      const { picture, colour, swatch } = entry;
      const own = this.view.viewportOf(entry);
      const pixel = own === viewport ? [x, y] : own.pixelAt(viewport.placeOf([x, y]) ?? [-1, -1]);
      const start = pixel && 4 * (pixel[1] * viewport.size[0] + pixel[0]);
      const rgb = picture && pixel && [...picture.pixels().subarray(start, start + 3)];
      colour.textContent = rgb ? rgb.join(" ") : "–";
      swatch.style.background = rgb ? `rgb(${rgb.join()})` : "none";
    }
  }
}

/** Each breaks as a whole where there is no room for all. */
const spans = (parts) => parts.map((part) => make("span", {}, part));

function makeEntry(name, index) {
  const pane = make("div", {
    class: "pane",
    tabindex: index ? -1 : 0, // one stop for all of them, since they move together
    "data-name": name,
    role: "application",
    "aria-label": `All pictures, moved together; ${name}`,
    "aria-describedby": "viewer-keys",
  });
  const canvas = make("canvas", { role: "img" });
  const mark = make("div", { class: "mark" });
  const [wait, facts, time, score] = ["wait", "facts", "time", "score"].map((kind) => make("p", { class: kind }));
  score.title = SCORE;
  const save = make("a", { class: "save", "aria-label": `Download ${name} as PNG` });
  pane.append(canvas, mark, wait);
  const caption = make("figcaption", {}, make("h3", {}, name), time, score, save, facts);
  const figure = make("figure", {}, pane, caption);

  const swatch = make("span", { class: "swatch" });
  const colour = make("td", {}, "–");
  const row = make("tr", {}, make("th", { scope: "row" }, swatch, name), colour);
  return {
    name, figure, caption, row, canvas, mark, wait, facts, time, score, save, swatch, colour,
    address: null, coming: null, picture: null, found: null,
  };
}
