// Pointer and wheel on the stage.

import { ratio } from "../dom.js";
import { clamp } from "./viewport.js";

const CLICK = 5; // px that a pointer may wander and still click
const PAUSE = 250; // ms without a wheel's turn, after which it may mean something else
const [SOON, NEAR] = [350, 30]; // ms and px between two taps that belong together

const paneOf = (event) => event.target.closest?.(".pane");

function placeIn(pane, event) {
  const box = pane.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top].map((length) => length * ratio());
}

/** Two fingers on a trackpad: a mouse's wheel turns by lines, or by notches of 120. */
const isTrackpad = ({ deltaMode, wheelDeltaX, wheelDeltaY }) =>
  deltaMode === WheelEvent.DOM_DELTA_PIXEL && (wheelDeltaX % 120 !== 0 || wheelDeltaY % 120 !== 0);

const spread = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y) || 1;
const middle = ([one, two]) => ({ clientX: (one.x + two.x) / 2, clientY: (one.y + two.y) / 2 });

export class Pointers {
  #down = new Map(); // pointers that are down: id -> { x, y, pane }
  #wandered = 0;
  #tapped = { at: -Infinity }; // the last time
  #turned = { at: -Infinity, here: false }; // the wheel's last turn, and whether it was for the pictures
  #hinting = 0;
  #scale = 1; // of a gesture

  constructor(view, modes) {
    [this.view, this.modes] = [view, modes];
    const { stage } = view;
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#release(event));
    stage.addEventListener("pointercancel", (event) => this.#release(event));
    stage.addEventListener("pointerout", (event) => this.#leave(event));
    stage.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
    stage.addEventListener("gesturestart", (event) => this.#gesture(event, true));
    stage.addEventListener("gesturechange", (event) => this.#gesture(event));
    window.addEventListener("wheel", (event) => {
      if (!stage.contains(event.target)) this.#turned = { at: performance.now(), here: false };
    }, { passive: true, capture: true });
  }

  #pointAt(pane, event) {
    const { viewport } = this.view;
    this.view.cursor = viewport.size && viewport.pixelAt(placeIn(pane, event));
    this.view.redraw();
  }

  #press(event) {
    const pane = paneOf(event);
    if (!pane || event.button > 0 || event.target.closest(".divider")) return;
    pane.setPointerCapture(event.pointerId);
    this.view.element.toggleAttribute("data-touched", event.pointerType === "touch"); // for the hints
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY, pane });
    if (this.#down.size === 1) this.#wandered = 0;
  }

  #move(event) {
    const last = this.#down.get(event.pointerId);
    const pane = last?.pane ?? paneOf(event);
    if (!pane) return;
    if (last) {
      const before = [...this.#down.values()];
      this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY, pane });
      this.#wandered += Math.hypot(event.clientX - last.x, event.clientY - last.y);
      if (before.length === 2) this.#pinch(pane, before, [...this.#down.values()]);
      else if (this.#wandered > CLICK) this.#drag(last.x - event.clientX, last.y - event.clientY);
    }
    if (event.pointerType !== "touch") this.#pointAt(pane, event);
  }

  /** By CSS px. */
  #drag(right, down) {
    this.view.viewport.move(right * ratio(), down * ratio());
  }

  #pinch(pane, before, after) {
    const { viewport } = this.view;
    this.#wandered = Infinity;
    const [from, to] = [middle(before), middle(after)];
    this.#drag(from.clientX - to.clientX, from.clientY - to.clientY);
    viewport.zoomAt(placeIn(pane, to), (viewport.zoom * spread(after)) / spread(before));
  }

  #release(event) {
    const down = this.#down.get(event.pointerId);
    this.#down.delete(event.pointerId);
    if (!down || event.type === "pointercancel" || this.#wandered > CLICK) return;
    if (this.view.mode === "slider") {
      this.modes.dividerTo(event);
      return;
    }
    this.#pointAt(down.pane, event);
    if (event.pointerType !== "touch") this.view.centre();
    else if (this.#isSecondTap(event)) this.#magnify(down.pane, event);
  }

  #isSecondTap({ clientX, clientY, timeStamp }) {
    const { at, x, y } = this.#tapped;
    const second = timeStamp - at < SOON && Math.hypot(clientX - x, clientY - y) < NEAR;
    this.#tapped = second ? { at: -Infinity } : { at: timeStamp, x: clientX, y: clientY };
    return second;
  }

  /** As on maps, two taps come nearer; from there, back to the whole picture. */
  #magnify(pane, event) {
    const { viewport } = this.view;
    if (viewport.fitted) viewport.zoomAt(placeIn(pane, event), Math.max(4, viewport.zoom));
    else viewport.fit();
  }

  #leave(event) {
    const pane = paneOf(event);
    if (this.#down.size || event.pointerType === "touch" || !pane) return;
    if (pane.contains(event.relatedTarget)) return; // still inside, as after a click
    this.view.cursor = null;
    this.view.redraw();
  }

  /**
   * As on maps: a wheel scrolls the page, unless the pictures are magnified or Ctrl is held. Then it
   * zooms; two fingers on a trackpad move, and their pinch, which holds Ctrl by itself, zooms.
   */
  #turn(event) {
    const { element, viewport } = this.view;
    const pane = paneOf(event);
    if (!pane || !viewport.size) return;
    const held = event.ctrlKey || event.metaKey;
    const goesOn = performance.now() - this.#turned.at < PAUSE;
    const here = held || (goesOn ? this.#turned.here : !viewport.fitted || document.fullscreenElement === element);
    this.#turned = { at: performance.now(), here };
    if (!here) {
      this.#hint(pane);
      return;
    }
    event.preventDefault();
    if (isTrackpad(event) && !held) {
      this.#drag(event.deltaX, event.deltaY);
      return;
    }
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    const amount = clamp(event.deltaY * lines, -300, 300);
    viewport.zoomAt(placeIn(pane, event), viewport.zoom * Math.exp(-amount * (event.ctrlKey ? 0.01 : 0.0025)));
    this.#pointAt(pane, event);
  }

  /** Two fingers on a Mac's trackpad, as Safari tells of them; elsewhere that is a wheel with Ctrl. */
  #gesture(event, begins = false) {
    const pane = paneOf(event);
    if (!pane || this.#down.size) return; // fingers on a screen are pointers
    event.preventDefault();
    const { viewport } = this.view;
    if (!begins) viewport.zoomAt(placeIn(pane, event), (viewport.zoom * event.scale) / this.#scale);
    this.#scale = event.scale;
  }

  /** How to zoom, for those who try the wheel. */
  #hint(pane) {
    const words = this.view.find(".wheel");
    if (words.parentNode !== pane) pane.append(words);
    words.textContent = `${/Mac/.test(navigator.platform) ? "⌘" : "Ctrl"} and the wheel zoom`;
    words.hidden = false;
    clearTimeout(this.#hinting);
    this.#hinting = setTimeout(() => (words.hidden = true), 1200);
  }
}
