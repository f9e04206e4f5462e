// The camera's frames, stylized on this device or by the server, and shown.

import { hasGpu } from "../device/opening.js";
import { Part } from "../dom.js";
import { hear } from "../messages.js";
import { canvasesCanBeRead } from "../viewer/png.js";
import { Camera } from "./camera.js";
import { DeviceVisit } from "./device_visit.js";
import { Visit } from "./visit.js";

const AT_FIRST = ["baseline", "v4"];
const RATE_OVER = 3000; // ms
const WAYS = { device: DeviceVisit, server: Visit };

const NO_CAMERA = "There is no camera here.";
const REFUSALS = { // by the error's name
  NotAllowedError: "The camera is not allowed here; the browser’s settings for this page can change that.",
  NotFoundError: NO_CAMERA,
  OverconstrainedError: NO_CAMERA,
  NotReadableError: "The camera cannot be read; another program may be using it.",
};

export function start({ element, props }) {
  const panel = new Panel(element, props);
  panel.offerNetworks();
  panel.describe();
  panel.describeWay();
  hear("paintings", (paintings) => panel.offerMore(paintings));
  panel.on(".start", "click", () => panel.startOrStop());
  panel.on(".way", "change", () => panel.changeWay());
  document.addEventListener("visibilitychange", () => document.hidden && panel.leave());
  window.addEventListener("pagehide", () => panel.leave());
  new IntersectionObserver(() => {
    if (isShown(element)) panel.findWay();
    else panel.leave();
  }).observe(element);
}

const isShown = (element) => element.getClientRects().length > 0;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

class Panel extends Part {
  #visit = null;
  #asking = false; // for the camera
  #telling = 0;
  #found = null; // a promise: it is known whether there is a GPU
  #chosen = false; // by the visitor: where frames are stylized

  constructor(element, { networks, route }) {
    super(element);
    Object.assign(this, { networks, route });
    this.selects = [...element.querySelectorAll(".network")];
    this.panes = [...element.querySelectorAll("figure")].map((figure) => ({
      figure,
      canvas: figure.querySelector("canvas"),
      shown: [], // of each picture: when, how long its way was, and the network's time, in ms
    }));
  }

  /** The networks, as positions: one or two. */
  get wanted() {
    return this.selects.map((select) => select.value).filter(Boolean).map(Number);
  }

  /** Of a frame, in px. */
  get side() {
    return Number(this.find(".side").value);
  }

  get mirrored() {
    return this.find(".mirror input").checked;
  }

  /** Where frames are stylized: "device" or "server". */
  get way() {
    return this.find(".way").value;
  }

  set way(way) {
    this.find(".way").value = way;
    this.describeWay();
  }

  describeWay() {
    for (const hint of this.element.querySelectorAll("[data-way]")) {
      hint.hidden = hint.dataset.way !== this.way;
    }
  }

  /** At first on the device, if it has a GPU. */
  findWay() {
    this.#found ??= hasGpu().then((has) => {
      if (has && !this.#chosen) this.way = "device";
    });
    return this.#found;
  }

  changeWay() {
    this.#chosen = true;
    this.describeWay();
    if (!this.#visit) return;
    this.#visit.end("");
    this.startOrStop();
  }

  offerNetworks() {
    this.networks.forEach(([name], position) => {
      for (const select of this.selects) select.append(new Option(name, position));
    });
    this.selects[1].append(new Option("none", ""));
    this.selects.forEach((select, index) => {
      const position = this.networks.findIndex(([name]) => name === AT_FIRST[index]);
      select.value = position < 0 ? index : position;
      let before = select.value;
      select.addEventListener("change", () => {
        const other = this.selects[1 - index]; // the same twice shows nothing
        if (other.value === select.value) {
          other.value = before;
          other.dispatchEvent(new Event("change"));
        }
        before = select.value;
        this.describe();
      });
    });
  }

  /** Networks that have learned a painting here meanwhile, in the order in which the server has them. */
  offerMore(paintings) {
    paintings.forEach(({ name, words, address }) => {
      const known = this.networks.find(([other]) => other === name);
      if (known) known[2] = address;
      if (known) return;
      for (const select of this.selects) select.append(new Option(name, this.networks.length));
      this.networks.push([name, words, address]);
    });
  }

  describe() {
    this.panes.forEach((pane, index) => {
      const position = this.wanted[index];
      pane.figure.hidden = position === undefined;
      pane.shown = [];
      if (pane.figure.hidden) return;
      const [name, words] = this.networks[position];
      pane.figure.querySelector("h3").textContent = name;
      pane.figure.querySelector(".facts").textContent = words;
      pane.figure.querySelector(".rate").textContent = "";
      pane.canvas.setAttribute("aria-label", `the camera as ${name} stylizes it`);
    });
  }

  async startOrStop() {
    if (this.#visit) {
      this.#visit.end("Stopped.");
      return;
    }
    if (!navigator.mediaDevices?.getUserMedia) {
      this.say("Browsers give a page the camera only over https or on this machine itself.", true);
      return;
    }
    if (!canvasesCanBeRead) {
      this.say("This browser scrambles what pages draw, so that no frame of the camera can be sent.", true);
      return;
    }
    if (this.#asking) return;
    this.#asking = true;
    this.say("Waiting for the camera …");
    try {
      const video = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
      await this.findWay();
      const camera = new Camera(await navigator.mediaDevices.getUserMedia({ video }));
      const visit = (this.#visit = new WAYS[this.way](camera, this));
      camera.whenItEnds(() => visit.end("The camera has stopped.", true));
    } catch (error) {
      this.say(REFUSALS[error.name] ?? "The camera cannot be used here.", true);
      return;
    } finally {
      this.#asking = false;
    }
    this.find(".start").textContent = "Stop";
    this.#telling = setInterval(() => this.#tellRates(), 500);
    for (const pane of this.panes) pane.shown = [];
    if (!isShown(this.element) || document.hidden) this.leave();
    else await this.#visit.begin();
  }

  /** Nobody looks: the camera stops. */
  leave() {
    this.#visit?.end("Stopped, because this was left.");
  }

  ended(words, error) {
    clearInterval(this.#telling);
    this.#visit = null;
    this.find(".start").textContent = error ? "Start again" : "Start the camera";
    this.say(words, error);
  }

  /** A stylized frame of the network at a position, if that is still wanted. */
  show(position, bitmap, times) {
    const pane = this.panes[this.wanted.indexOf(position)];
    if (!pane) return;
    const { canvas, shown } = pane;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    }
    canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
    shown.push({ at: performance.now(), ...times });
  }

  /** How many frames a second, and how long each takes. */
  #tellRates() {
    const now = performance.now();
    for (const { figure, shown } of this.panes) {
      while (shown.length > 2 && shown[0].at < now - RATE_OVER) shown.shift();
      if (shown.length < 2) continue;
      const rate = (1000 * (shown.length - 1)) / (shown.at(-1).at - shown[0].at);
      const network = mean(shown.map((picture) => picture.network)).toFixed(0);
      const way = mean(shown.map((picture) => picture.way)).toFixed(0);
      figure.querySelector(".rate").textContent =
        `${rate.toFixed(rate < 1 ? 2 : rate < 10 ? 1 : 0)} frames a second · network ${network} ms · round trip ${way} ms`;
    }
  }
}
