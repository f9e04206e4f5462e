// Mode, pair, place and zoom in the page's address, so that a link shows the same view.

import { readAddress, writeAddress } from "../address.js";

export class Link {
  #followed = false; // what the address asks for has been shown

  constructor(view, modes) {
    [this.view, this.modes] = [view, modes];
  }

  /** Look at what the address asks for, as soon as its photo is there. */
  follow() {
    if (this.#followed) return;
    const { modes, view } = this;
    const link = readAddress();
    const example = link.get("example");
    if (example !== null && example !== view.photo) return; // the bar has asked for it
    this.#followed = true;
    const [x, y] = (link.get("at") ?? "").split(",").map(Number);
    const [mode, zoom] = [link.get("mode"), Number(link.get("zoom"))];
    const pair = (link.get("pair") ?? "").split(",");
    view.heat = view.find(".heat").checked = link.has("heat");
    if (pair.length === 2 && pair.every((name) => view.named(name))) modes.choosePair(pair);
    if (["one", "slider", "blink", "difference"].includes(mode)) modes.show(mode);
    if (zoom > 0 && Number.isFinite(x) && Number.isFinite(y)) view.viewport.look(x, y, zoom);
    else view.viewport.fit();
  }

  /** What is drawn stands in the address; what is as at first is left out. */
  draw() {
    const { heat, inGrid, mode, pair, viewport } = this.view;
    if (!viewport.size || !this.#followed) return;
    const place = [viewport.x, viewport.y].map((percent) => Number(percent.toFixed(2))).join();
    writeAddress({
      mode: inGrid ? null : mode,
      pair: inGrid ? null : pair.join(),
      at: viewport.fitted ? null : place,
      zoom: viewport.fitted ? null : Number(viewport.zoom.toFixed(3)),
      heat: heat ? 1 : null,
    });
  }
}
