// Where the lattice and the red spots are strongest; the server has measured them.

import { ratio } from "../dom.js";
import { HEAT } from "./heat.js";

const CLOSE = 8; // screen pixels for each pixel, at which a lattice of 4 px is plain

export class Spots {
  #network = "baseline"; // the one that was looked at last
  #again = () => this.#showWorst(); // what was shown last
  #turn = { key: "", index: -1 }; // which of its worst places is shown

  constructor(view) {
    this.view = view;
    view.on(".worst", "click", () => this.#showWorst(1));
    view.on(".yellowest", "click", () => this.#showYellowest());
    view.on(".own", "change", ({ target }) => {
      view.own = target.checked;
      if (this.#entry) this.#again();
    });
    view.on(".heat", "change", ({ target }) => {
      view.heat = target.checked;
      view.say(view.heat ? `${HEAT}.` : "");
      view.redraw();
    });
    for (const kind of ["click", "focusin"]) {
      view.stage.addEventListener(kind, (event) => {
        const name = event.target.closest(".pane")?.dataset.name;
        if (name && kind === "click") view.looked = name; // the focus comes to the first one by itself
        this.#lookAt(name);
      });
    }
  }

  /** The network whose places are sought. */
  get #entry() {
    const { chosen, entries, inGrid } = this.view;
    const measured = (inGrid ? entries : chosen).filter(({ name, found }) => name !== "original" && found);
    return (inGrid && measured.find(({ name }) => name === this.#network)) || measured[0];
  }

  #lookAt(name) {
    if (name && name !== "original") this.#network = name;
    this.describe();
  }

  describe() {
    const { entries, inGrid } = this.view;
    const entry = this.#entry;
    for (const one of entries) one.figure.classList.toggle("looked-at", inGrid && one === entry);
    for (const button of this.view.element.querySelectorAll(".spots button")) button.disabled = !entry;
    this.view.find(".worst i").textContent = entry ? ` of ${entry.name}` : "";
  }

  /** All pictures come to the network's strongest spots; by `step` 1, to the next after those. */
  #showWorst(step = 0) {
    const { name, address, found: { worst } } = this.#entry;
    const key = `${name} ${address}`;
    const index = this.#turn.key === key ? (this.#turn.index + step) % worst.length : 0;
    this.#turn = { key, index };
    this.#again = () => this.#showWorst();
    const [x, y, there] = worst[index];
    this.#show([x, y], `Worst place ${index + 1} of ${worst.length} of ${name}: ${there}.`,
      `Each at its own worst place, number ${index + 1}.`,
      ({ worst: others }) => others[Math.min(index, others.length - 1)].slice(0, 2));
  }

  #showYellowest() {
    const { name, found: { yellowest, score } } = this.#entry;
    this.#again = () => this.#showYellowest();
    this.#show(yellowest, `Where ${name} is yellowest: ${score}.`,
      "Each where it is yellowest itself.", (found) => found.yellowest);
  }

  /** `placeIn` gives a picture's own place. */
  #show(place, words, wordsForOwn, placeIn) {
    const { view } = this;
    const { viewport } = view;
    if (!viewport.size) return;
    view.cursor = null;
    viewport.centreOn(place, CLOSE * Math.max(1, Math.round(ratio())));
    for (const entry of view.entries) {
      const own = entry.name !== "original" && entry.found ? placeIn(entry.found) : place;
      entry.beside = viewport.percentOf(own).map((at, axis) => at - [viewport.x, viewport.y][axis]);
    }
    view.say(view.own && view.inGrid ? wordsForOwn : words);
  }
}
