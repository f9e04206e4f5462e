// All pictures, or one, or two at the same place: behind a slider, in turns, or their difference.

import { clamp } from "./viewport.js";

const BLINK = 700; // ms for each picture: 0.7 blinks a second, far from any flicker hazard

export class Modes {
  #paused = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  #blinking = 0;

  constructor(view) {
    this.view = view;
    this.selects = [view.find(".first"), view.find(".second")];
    this.selects.forEach((select, place) =>
      select.addEventListener("change", () => this.choose(place, select.value)));
    view.on(".modes", "change", ({ target: { value } }) => {
      if (value === "one" && view.inGrid && view.named(view.looked)) this.choose(0, view.looked);
      this.show(value);
    });
    view.on(".gain input", "input", ({ target }) => view.set({ gain: 2 ** target.value }));
    view.on(".calm input", "input", ({ target }) => view.set({ calm: target.checked }));
    view.on(".pause", "click", () => {
      this.#paused = !this.#paused;
      view.changed();
    });
    this.#listenToDivider();
    this.#listenToHold();
  }

  show(mode) {
    const { view } = this;
    view.mode = view.element.dataset.mode = mode;
    view.cursor = null;
    view.find(`.modes input[value=${mode}]`).checked = true;
    for (const part of view.element.querySelectorAll("[data-in]")) {
      part.hidden = !part.dataset.in.split(" ").includes(mode);
    }
    clearInterval(this.#blinking);
    const blink = () => this.#paused || view.set({ secondShown: !view.secondShown });
    if (mode === "blink") this.#blinking = setInterval(blink, BLINK);
    view.changed(); // which brings the captions to their places
    view.resize();
  }

  /** Have two pictures to choose from `names`; those that were chosen stay, if they are there. */
  offer(names) {
    for (const select of this.selects) select.replaceChildren(...names.map((name) => new Option(name)));
    const last = names.at(-1);
    let [first, second] = this.view.pair;
    first = [first, "baseline", "original"].find((name) => names.includes(name));
    if (!names.includes(second)) second = last;
    // A picture beside itself says nothing.
    if (first === second) [first, second] = ["original", second === "original" ? last : second];
    this.choosePair([first, second]);
  }

  choosePair(pair) {
    this.selects.forEach((select, place) => (select.value = pair[place]));
    this.view.set({ pair });
  }

  swap() {
    this.choosePair([...this.view.pair].reverse());
  }

  /** The first (place 0) or second of the two is another; they change places rather than be one. */
  choose(place, name) {
    const pair = this.view.pair.with(place, name);
    this.choosePair(pair[0] === pair[1] ? [...this.view.pair].reverse() : pair);
  }

  /** A picture by its number, as large as there is room for; by the same number again, all. */
  showNumber(number) {
    const { view } = this;
    const entry = view.entries[number - 1];
    if (!entry) return;
    const again = view.mode === "one" && view.pair[0] === entry.name;
    if (!again && entry.name !== view.pair[0]) this.choosePair([entry.name, view.pair[0]]);
    const focused = document.activeElement?.matches(".pane");
    this.show(again ? "grid" : "one");
    if (focused) view.currentPane.focus({ preventScroll: true }); // the pane that had it is hidden
  }

  /** Words for what the single pane shows, and the captions of its pictures below it. */
  describe() {
    const { view } = this;
    for (const entry of view.entries) {
      const home = !view.inGrid && view.shown.includes(entry) ? view.single.figure : entry.figure;
      if (entry.caption.parentNode !== home) home.append(entry.caption);
    }
    const { calm, chosen, divider, mode, original, pair: [first, second], single } = view;
    const missing = chosen.some((entry) => !entry.picture);
    const gain = `×${view.gain}`;
    let [left, right, words] = [first, "", `${first} and ${second}`];
    if (original) left = words = "original";
    else if (mode === "one") words = first;
    else if (mode === "blink" && view.secondShown) left = second;
    else if (mode === "slider") {
      right = second;
      words = `${first} left of the divider, ${second} right of it`;
    } else if (mode === "difference" && chosen.length && !missing) {
      const mean = view.difference.mean.toFixed(1);
      left = words = `|${first} − ${second}|${calm ? ", smoothed" : ""} ${gain} · mean difference ${mean} of 255`;
    }
    view.find(".tag.left").textContent = left;
    view.find(".tag.right").textContent = right;
    view.find(".gain output").textContent = gain;
    view.find(".gain input").setAttribute("aria-valuetext", gain);
    view.find(".pause").textContent = this.#paused ? "Blink" : "Pause";
    single.canvas.setAttribute("aria-label", words);
    single.wait.textContent = missing ? view.props.value.waiting : "";
    view.find(".divider").style.left = `${divider}%`;
    view.find(".divider").setAttribute("aria-valuenow", Math.round(divider));
  }

  #moveDivider = (percent) => this.view.set({ divider: clamp(percent, 0, 100) });

  /** The divider comes to where the pointer is. */
  dividerTo(event) {
    const box = this.view.single.canvas.parentNode.getBoundingClientRect();
    this.#moveDivider((100 * (event.clientX - box.left)) / box.width);
  }

  #listenToDivider() {
    const divider = this.view.find(".divider");
    divider.addEventListener("pointerdown", (event) => {
      divider.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    divider.addEventListener("pointermove", (event) => {
      if (divider.hasPointerCapture(event.pointerId)) this.dividerTo(event);
    });
    divider.addEventListener("keydown", (event) => {
      const at = this.view.divider;
      const places = {
        ArrowLeft: at - 2, ArrowDown: at - 2, ArrowRight: at + 2, ArrowUp: at + 2,
        PageDown: at - 10, PageUp: at + 10, Home: 0, End: 100,
      };
      if (!(event.key in places)) return;
      this.#moveDivider(places[event.key]);
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #listenToHold() {
    const { view } = this;
    view.on(".hold", "pointerdown", () => view.set({ original: true }));
    view.on(".hold", "keydown", (event) => {
      if (event.key === " " || event.key === "Enter") view.set({ original: true });
    });
    for (const name of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) {
      view.on(".hold", name, () => view.set({ original: false }));
    }
  }
}
