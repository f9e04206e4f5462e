// Pictures that the visitor's own device makes of the photo that the server has read. They take the
// empty places of the server's view, one by one, and none of them is sent anywhere.

import { mix } from "../device/mixing.js";
import { holdDevice, nameOf, openNetwork } from "../device/opening.js";
import { makeCanvas } from "../dom.js";
import { Pictures } from "./pictures.js";
import { canvasesCanBeRead } from "./png.js";

const SCRAMBLED = "This browser scrambles what pages draw, so no picture can be kept here.";
const PHOTO_GONE = "The photo could not be loaded.";
const UNMEASURED = ["grid, spots: server only"];

export class OnDevice {
  #photos = new Pictures();
  #value = null; // the server's view
  #photo = ""; // its address
  #made = new Map(); // of this photo, by network
  #name = ""; // the device's
  #device = null; // a promise of it; held, it keeps its compiled kernels from photo to photo
  #run = 0; // a later one ends those before
  #stopped = false;
  #report = null; // of the run that goes on
  #drawing = 0;
  #last = Promise.resolve(); // drawings come one after the other

  /** `files`: the networks' addresses. `show` is given views, `refuse` why there will be none. */
  constructor(files, show, refuse) {
    Object.assign(this, { files, show, refuse });
  }

  /** Something else has been asked for; all of it `anew`? */
  ask(anew) {
    this.#run += 1;
    this.#report = null;
    if (anew) this.#forget();
  }

  /** What the server sends; what it makes itself is shown as it is. */
  take(value) {
    if (!value.on_device) {
      this.#leave();
      this.show(value);
      return;
    }
    const { url } = value.panes[value.names[0]].picture;
    const photo = new URL(url, location.href).pathname;
    if (photo !== this.#photo) this.#forget();
    [this.#value, this.#photo] = [value, photo];
    if (value.on_device.begins) this.#stylize();
    else this.#draw(this.#report ?? value.report);
  }

  /** The run ends after its current network. */
  stop() {
    this.#stopped = true;
  }

  async #stylize() {
    const run = ++this.#run;
    this.#stopped = false;
    const names = this.#value.names.slice(1);
    try {
      if (!canvasesCanBeRead) throw new Error(SCRAMBLED);
      this.#photos.keepOnly([this.#photo]);
      const photo = await this.#photos.get(this.#photo).catch(() => {
        throw new Error(PHOTO_GONE);
      });
      this.#device ??= holdDevice();
      const device = await this.#device;
      this.#name = device.name;
      for (const name of names.filter((one) => !this.#made.has(one))) {
        if (run !== this.#run || this.#stopped) break;
        this.#report = { words: `Stylizing on ${device.name} …`, ...this.#progress(names) };
        this.#draw(this.#report);
        const made = await stylize(this.files[name], photo);
        if (run !== this.#run) return;
        this.#made.set(name, made);
      }
      if (run !== this.#run) return;
      this.#report = null;
      this.#draw({ words: this.#howItEnded(names, nameOf(device)), total: 0 });
    } catch (error) {
      if (run !== this.#run) return;
      this.#leave();
      this.refuse(error.message);
    }
  }

  #progress = (names) =>
    ({ done: names.filter((name) => this.#made.has(name)).length, total: names.length, seconds_left: 0 });

  #howItEnded(names, where) {
    const there = names.map((name) => this.#made.get(name)).filter(Boolean);
    const seconds = there.reduce((sum, { time }) => sum + time, 0) / 1000;
    const pictures = there.length === 1 ? "one picture" : `${there.length} pictures`;
    if (there.length === names.length) return `Done: ${pictures} in ${seconds.toFixed(2)} s on ${where}.`;
    return `Stopped: ${there.length} of ${names.length} pictures in ${seconds.toFixed(2)} s.`;
  }

  /** The server's view with the pictures that are there, in the mix that is wanted. */
  #draw(report) {
    const drawing = ++this.#drawing;
    const isLast = () => drawing === this.#drawing;
    this.#last = this.#last.then(() => isLast() && this.#drawNow(report, isLast));
  }

  async #drawNow(report, isLast) {
    const value = this.#value;
    const panes = { ...value.panes };
    for (const name of value.names.filter((one) => this.#made.has(one))) {
      const made = this.#made.get(name);
      const url = await made.addressIn(value.on_device);
      if (!isLast()) return;
      const file = `${value.stem}-${name}${value.on_device.ending}.png`;
      const time = `${made.time.toFixed(made.time < 10 ? 1 : 0)} ms on this device`;
      panes[name] = { ...panes[name], time, unmeasured: UNMEASURED, picture: { url, orig_name: file } };
    }
    const waiting = report.total ? "stylizing …" : "not stylized";
    const caption = [value.caption, this.#name].filter(Boolean).join(" · ");
    this.show({ ...value, caption, panes, report, waiting });
  }

  #forget() {
    for (const made of this.#made.values()) made.forget();
    this.#made.clear();
  }

  #leave() {
    this.ask(true);
    this.#drawing += 1;
    this.#photos.keepOnly([]);
    this.#device?.then((device) => device.release(), () => {});
    this.#device = null;
  }
}

/** What a network makes of a photo. */
async function stylize(file, photo) {
  const network = await openNetwork(file);
  try {
    const start = performance.now();
    const picture = await network.stylize(photo.bitmap);
    return new Made(photo, picture, network.milliseconds ?? performance.now() - start);
  } finally {
    network.close();
  }
}

/** A picture, and its file in the mix that was wanted last. */
class Made {
  #ending = null;
  #address = "";

  constructor(photo, picture, time) {
    Object.assign(this, { photo, picture, time });
  }

  async addressIn({ strength, keep_colours: keepColours, ending }) {
    if (this.#ending === ending) return this.#address;
    const { width, height, data } = this.picture;
    const canvas = makeCanvas([width, height]);
    const bytes = ending ? mix(this.photo.pixels(), data, strength, keepColours) : data;
    canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    this.forget();
    [this.#ending, this.#address] = [ending, URL.createObjectURL(blob)];
    return this.#address;
  }

  forget() {
    URL.revokeObjectURL(this.#address);
  }
}
