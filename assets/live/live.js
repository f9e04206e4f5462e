// The camera's frames or a video's, stylized on this device or by the server, and shown.

import { hasGpu } from "../device/opening.js";
import { Part } from "../dom.js";
import { hear } from "../messages.js";
import { canvasesCanBeRead } from "../viewer/png.js";
import { DeviceVisit } from "./device_visit.js";
import { Example } from "./example.js";
import { canRecord, keepPicture, Recording } from "./keeping.js";
import { Panes } from "./panes.js";
import { openCamera, openVideo } from "./sources.js";
import { Visit } from "./visit.js";

const AT_FIRST = ["baseline", "v4"];
const WAYS = { device: DeviceVisit, server: Visit };
const START = "Start the camera";
const SIDES = { user: "Front camera", environment: "Rear camera" };
const SCRAMBLED = "This browser scrambles what pages draw, so that no frame can be taken.";

const camera = () => openCamera("user");

export function start({ element, props }) {
  const panel = new Panel(element, props);
  panel.offerNetworks();
  panel.describe();
  panel.describeWay();
  hear("paintings", (paintings) => panel.offerMore(paintings));
  panel.listen();
}

class Panel extends Part {
  #open = camera; // gives what the start button starts
  #source = null;
  #visit = null;
  #fresh = true; // the panes show nothing of the visitor's
  #opening = false;
  #recording = null;
  #telling = 0;
  #found = null; // a promise: whether there is a GPU
  #chosen = false; // by the visitor: where frames are stylized

  constructor(element, { networks, route, example }) {
    super(element);
    Object.assign(this, { networks, route, example: new Example(this, example) });
    this.selects = [...element.querySelectorAll(".network")];
    this.panes = new Panes(element);
  }

  listen() {
    this.find(".record").hidden = !canRecord;
    this.on(".start", "click", () => {
      if (this.#visit) this.#visit.end("Stopped.");
      else this.#start();
    });
    this.letChoose(".video", (file) => this.#play(file));
    this.takeDropped((file) => this.#play(file));
    this.on(".turn", "click", () => {
      const side = this.#source.otherSide;
      this.#restart(() => openCamera(side));
    });
    this.on(".way", "change", () => {
      this.#chosen = true;
      this.describeWay();
      if (this.#visit) this.#restart(this.#open);
    });
    this.on(".picture", "click", () => keepPicture(this.panes.seen));
    this.on(".record", "click", () => {
      if (this.#recording) this.#endRecording();
      else this.#record();
    });
    window.addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => this.#look());
    new IntersectionObserver(() => this.#look()).observe(this.element);
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
    return this.#source.isMirror && this.find(".mirror input").checked;
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

  /** At first on the device, if it has a GPU; whether it has. */
  findWay() {
    this.#found ??= hasGpu().then((has) => {
      if (has && !this.#chosen) this.way = "device";
      return has;
    });
    return this.#found;
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
        if (this.#visit) return;
        this.#fresh = true; // what they showed was another network's
        this.#look();
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
    this.panes.describe(this.wanted.map((position) => this.networks[position]));
  }

  #play(file) {
    this.#restart(() => openVideo(file));
  }

  /** Something else, or in another way. */
  #restart(open) {
    if (this.#opening) return;
    this.#visit?.end("");
    this.#open = open;
    this.#start();
  }

  async #start() {
    if (this.#opening) return;
    if (!canvasesCanBeRead) {
      this.say(SCRAMBLED, true);
      return;
    }
    this.#opening = true;
    this.say("Opening …");
    try {
      await this.findWay();
      this.#source = await this.#open();
    } catch (error) {
      this.#open = camera;
      this.say(error.message, true);
      return;
    } finally {
      this.#opening = false;
    }
    this.#begin();
  }

  #begin() {
    this.example.end();
    this.#fresh = false;
    const visit = (this.#visit = new WAYS[this.way](this.#source, this));
    this.#source.whenItEnds((words) => visit.end(words, true));
    this.find(".start").textContent = "Stop";
    this.#describeSource();
    this.#telling = setInterval(() => this.panes.tellRates(), 500);
    this.panes.forget();
    if (this.isOpen && !document.hidden) visit.begin();
    else this.leave();
  }

  /** What can be done with what is stylized now, or with nothing. */
  #describeSource() {
    const going = Boolean(this.#visit);
    const side = going && this.#source.otherSide;
    this.find(".turn").hidden = !side;
    this.find(".turn").textContent = SIDES[side] ?? "";
    this.find(".video").hidden = going;
    this.find(".mirror").hidden = going && !this.#source.isMirror;
    this.find(".keeping").hidden = !going;
  }

  /** Something to look at begins when somebody looks, and all of it stops when nobody does. */
  #look() {
    if (document.hidden || !this.isOpen) {
      this.leave();
      return;
    }
    this.findWay();
    if (this.#fresh) this.example.begin();
  }

  leave() {
    this.example.end();
    this.#visit?.end("Stopped, because this was left.");
  }

  ended(words, error) {
    clearInterval(this.#telling);
    this.#visit = null;
    this.#endRecording();
    this.#describeSource();
    if (!error) this.#open = camera;
    this.find(".start").textContent = error ? "Start again" : START;
    this.say(words, error);
  }

  #record() {
    this.#recording = new Recording(this.panes.seen);
    this.find(".record").textContent = "Stop recording";
  }

  #endRecording() {
    this.#recording?.stop();
    this.#recording = null;
    this.find(".record").textContent = "Record";
  }

  /** A stylized frame of the network at a position. */
  show(position, bitmap, times) {
    this.panes.draw(this.networks[position][0], bitmap, times);
    this.#recording?.draw(this.panes.seen);
  }
}
