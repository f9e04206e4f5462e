// What the panes show before anything else is stylized: a photo of ours, over which one looks slowly
// where a GPU can paint that, and otherwise as the server has painted it.

import { makeCanvas } from "../dom.js";
import { DeviceVisit } from "./device_visit.js";

const RATE = 24; // pictures a second at most: nobody has asked for them
const PART = 0.625; // of the photo's sides that is seen at once
const [ACROSS, DOWN] = [17, 29]; // s, to and fro

const MOVING = "An example: a slow look over a photo of ours, painted on this device.";
const STILL = "An example: a photo of ours, painted by the server.";

/** A window that moves over a photo. */
class Pan {
  constructor(photo) {
    this.photo = photo;
    this.frame = makeCanvas([photo.width, photo.height].map((side) => Math.round(PART * side)));
  }

  draw() {
    const { frame, photo } = this;
    const seconds = performance.now() / 1000;
    const place = (room, period) => (room / 2) * (1 + Math.sin((2 * Math.PI * seconds) / period));
    const left = place(photo.width - frame.width, ACROSS);
    const top = place(photo.height - frame.height, DOWN);
    frame.getContext("2d", { alpha: false }).drawImage(photo, -left, -top);
  }

  next = () => new Promise((resolve) => setTimeout(resolve, 1000 / RATE));

  stop() {}
}

const load = async (address) => createImageBitmap(await (await fetch(address)).blob());

export class Example {
  way = ""; // a visit changes it where the device fails; the panes keep what they show then
  #isStill = true;
  #visit = null;
  #number = 0; // of a beginning; a later one, and an end, count

  /** @param pictures addresses: of the photo, "original", and of what each network made of it */
  constructor(panel, pictures) {
    Object.assign(this, { panel, pictures });
  }

  get networks() {
    return this.panel.networks;
  }

  get wanted() {
    return this.panel.wanted;
  }

  async begin() {
    if (this.#visit) return; // which looks itself what is wanted
    const number = (this.#number += 1);
    try {
      await this.#begin(() => number !== this.#number);
    } catch {} // the server does not answer; it is only an example
  }

  async #begin(isOver) {
    this.panel.say(STILL);
    for (const position of this.wanted) {
      const [name] = this.networks[position];
      const picture = await load(this.pictures[name]);
      if (isOver()) return;
      this.panel.panes.draw(name, picture);
    }
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || !(await this.panel.findWay())) return;
    const photo = await load(this.pictures.original);
    if (isOver()) return;
    this.#isStill = true;
    this.#visit = new DeviceVisit(new Pan(photo), this);
    this.#visit.begin();
  }

  end() {
    this.#number += 1;
    this.#visit?.end("");
  }

  // What a visit asks of its panel

  say() {}

  show(position, picture) {
    if (this.#isStill) this.panel.say(MOVING);
    this.#isStill = false;
    this.panel.panes.draw(this.networks[position][0], picture);
  }

  ended() {
    this.#visit = null;
  }
}
