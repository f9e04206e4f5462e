// Where the lattice, red spots and yellow are strongest; the server has measured them.

import { ratio } from "../dom.js";
import { LEGENDS } from "./heat.js";

const CLOSE = 8; // screen pixels for each pixel, at which a lattice of 4 px is plain

export class Spots {
  #network = "baseline"; // the one that was looked at last
  #turn = { key: "", index: -1 }; // which of its worst places is shown

  constructor(view) {
    this.view = view;
    view.on(".worst", "click", () => this.#showWorst(1));
    view.on(".own", "change", ({ target }) => {
      view.own = target.checked;
      if (this.#turn.key) this.#showWorst();
    });
    view.on(".kind", "change", ({ target }) => this.#outline({ kind: target.value }));
    view.on(".heat", "change", ({ target }) => this.#outline({ heat: target.checked }));
    for (const kind of ["click", "focusin"]) {
      view.stage.addEventListener(kind, (event) => {
        const name = event.target.closest(".pane")?.dataset.name;
        if (name && kind === "click") view.looked = name; // the focus comes to the first one by itself
        this.#lookAt(name);
      });
    }
  }

  #outline(changes) {
    this.view.set(changes);
    const { heat, kind } = this.view;
    this.view.say(heat && LEGENDS[kind] ? `${LEGENDS[kind]}.` : "");
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

  get #words() {
    return this.view.kind === "yellow" ? "Yellowest place" : "Worst place";
  }

  describe() {
    const { entries, inGrid, kind } = this.view;
    const entry = this.#entry;
    for (const one of entries) one.figure.classList.toggle("looked-at", inGrid && one === entry);
    const button = this.view.find(".worst");
    button.setAttribute("aria-disabled", !entry); // it stays a stop of the Tab key
    button.textContent = entry ? `${this.#words} of ${entry.name}` : this.#words;
    this.view.find(".kind").value = kind;
    this.view.find(".heat").disabled = !LEGENDS[kind];
  }

  /** All pictures come to the network's strongest place; by `step` 1, to the next after it. */
  #showWorst(step = 0) {
    if (!this.#entry) return;
    const { view } = this;
    const { kind, viewport } = view;
    const { name, address, found: { worst: { [kind]: places } } } = this.#entry;
    if (!places.length) {
      view.say(`${name} has no red spots here.`);
      return;
    }
    if (!viewport.size) return;
    const key = `${kind} ${name} ${address}`;
    const index = this.#turn.key === key ? (this.#turn.index + step) % places.length : 0;
    this.#turn = { key, index };
    const [x, y, there] = places[index];
    view.cursor = null;
    viewport.centreOn([x, y], CLOSE * Math.max(1, Math.round(ratio())));
    for (const entry of view.entries) {
      const others = entry.name === "original" ? null : entry.found?.worst[kind];
      const own = others?.length ? others[Math.min(index, others.length - 1)] : [x, y];
      entry.beside = viewport.percentOf(own.slice(0, 2)).map((at, axis) => at - [viewport.x, viewport.y][axis]);
    }
    const which = `${this.#words}${places.length > 1 ? ` ${index + 1} of ${places.length}` : ""}`;
    const own = `Each at its own ${which.toLowerCase()}, where it has one.`;
    view.say(view.own && view.inGrid ? own : `${which} of ${name}: ${there}.`);
  }
}
