// Mode, pair, place and what else is set in the page's address, so that a link shows the same view.

import { readAddress, writeAddress } from "../address.js";
import { clamp } from "./viewport.js";

const PLACE = "nst-place"; // in the tab's own storage: the photo, which no link has, and its place

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
    const [gain, divider] = ["amplified", "divider"].map((name) => Number(link.get(name)));
    if ([2, 4, 8, 16].includes(gain)) {
      view.gain = gain;
      view.find(".gain input").value = Math.log2(gain);
    }
    if (link.has("divider")) view.divider = clamp(divider || 0, 0, 100);
    view.calm = view.find(".calm input").checked = link.has("smoothed");
    const [mode, zoom] = [link.get("mode"), Number(link.get("zoom"))];
    const pair = (link.get("pair") ?? "").split(",");
    const heat = link.get("heat");
    view.heat = view.find(".heat").checked = ["spots", "grid"].includes(heat);
    if (view.heat) view.kind = heat;
    if (pair.length === 2 && pair.every((name) => view.named(name))) modes.choosePair(pair);
    if (["one", "slider", "blink", "difference"].includes(mode)) modes.show(mode);
    if (zoom > 0 && Number.isFinite(x) && Number.isFinite(y)) view.viewport.restore(x, y, zoom);
    else if (!view.viewport.wanted) view.viewport.fit();
  }

  /** Where this tab looked in a photo of the visitor's before it was loaded again; or null. */
  placeOf(photo) {
    try {
      const [of, wanted] = JSON.parse(sessionStorage.getItem(PLACE));
      return of === photo ? wanted : null;
    } catch {
      return null; // nowhere yet, or nothing is kept
    }
  }

  #keepPlace() {
    try {
      const { photo, viewport } = this.view;
      sessionStorage.setItem(PLACE, JSON.stringify([photo, viewport.wanted]));
    } catch {
      // a reload loses it
    }
  }

  /** Whoever copies the link knows before that a photo of theirs is not in it. */
  describe() {
    const { example } = this.view.props.value ?? {};
    this.view.find(".copy-link").textContent = example ? "Copy link" : "Copy link, without your photo";
  }

  /** What is drawn stands in the address; what is as at first is left out. */
  draw() {
    const { calm, divider, gain, heat, inGrid, kind, mode, pair, props, viewport } = this.view;
    if (!viewport.size || !this.#followed) return;
    if (!props.value.example) this.#keepPlace();
    const [x, y, zoom] = (props.value.example && viewport.wanted) || []; // of another photo: nowhere
    const place = [x, y].map((percent) => Number(percent?.toFixed(2))).join();
    writeAddress({
      mode: inGrid ? null : mode,
      pair: inGrid ? null : pair.join(),
      at: zoom ? place : null,
      zoom: zoom ? Number(zoom.toFixed(3)) : null,
      heat: heat ? kind : null,
      divider: mode !== "slider" || divider === 50 ? null : Number(divider.toFixed(1)),
      amplified: mode !== "difference" || gain === 1 ? null : gain,
      smoothed: mode !== "difference" || !calm ? null : 1,
    });
  }
}
