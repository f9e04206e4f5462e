// The controls. What is set is asked for at once, but for large pictures.

import { readAddress, writeAddress } from "../address.js";
import { findDevice } from "../device/opening.js";
import { Part } from "../dom.js";
import { hear, tell } from "../messages.js";
import { asToolbar } from "../toolbar.js";
import { choice, pressTile, tile } from "./choices.js";
import { foldAway } from "./folding.js";
import { forget, keep, MOST, restore, showNone } from "./keeping.js";
import { noteRequest, requestIn } from "./link.js";
import { isThere, receiveFiles, send } from "./photo.js";
import { sizeInWords, sizeOf } from "./sizes.js";

export function start(component) {
  const bar = new Bar(component);
  bar.fill();
  bar.listen();
  foldAway(component.element);
  hear("shown", (shown) => bar.takeShown(shown));
  hear("device-refused", () => bar.leaveDevice());
  hear("paintings", (paintings) => paintings.forEach(({ name, title }) => bar.offerPainting(name, title)));
  hear("compare", (name) => bar.compare(name));
  window.addEventListener("hashchange", () => {
    showNone(); // but a link to another view, pasted
    location.reload();
  });
  bar.begin();
}

const DEVICE = "device"; // the engine that is the visitor's own

class Bar extends Part {
  #choices = 0; // of photos; a later one counts, however long an earlier one was on its way
  #waits = false;
  #mine = []; // this tab's photos, { id, file, sent, thumbnail }, the last one first
  #sent = null; // one of them, which the server has not read yet
  #sizes = new Map(); // of photos, [width, height], by what the server knows them by
  #seconds = {}; // for a megapixel of the largest pictures, by network, as the server's last run tells

  constructor({ element, props, trigger, upload }) {
    super(element);
    Object.assign(this, { props, trigger, upload });
    this.first = this.props.value; // what the server has stylized already
    this.request = { ...this.first, ...requestIn(readAddress(), this.props) };
    const { photo, example } = this.first;
    this.shown = { photo, example }; // what holds again where the server refuses a photo
    const asked = readAddress().get("example");
    if (asked !== null && asked !== this.request.example) writeAddress({ example: null }, 0);
  }

  fill() {
    const { props, request } = this;
    for (const [name, address, size] of props.examples) {
      const choose = () => this.#chooseExample(name);
      this.find(".examples").append(tile(name, name, `example: ${name}`, address, choose));
      this.#sizes.set(name, size);
    }
    for (const side of props.sides) this.find(".size select").append(new Option("", side));
    asToolbar(this.find(".strip"));
    this.#showPhoto(Object.fromEntries(props.examples)[request.example], request.example);
    for (const name of props.networks) {
      this.find(".networks").append(
        choice("checkbox", "bar-network", name, name, request.networks.includes(name)));
    }
    for (const [name, title] of props.paintings) this.offerPainting(name, title);
    for (const [text, name] of props.engines) {
      this.find(".engines").append(choice("radio", "bar-engine", name, text, name === request.engine));
    }
    this.#drawRequest();
    this.find(".strength input").step = props.strength_step;
    this.find(".strength input").value = request.strength;
    this.find(".strength output").textContent = `${request.strength} %`;
    this.find(".colours input").checked = request.keep_colours;
  }

  /** One more network to choose, which has learned another painting than the others. */
  offerPainting(name, title) {
    if (this.#box(name)) return;
    const chosen = this.request.networks.includes(name);
    this.find(".paintings").append(choice("checkbox", "bar-network", name, title, chosen));
    this.find(".paintings").hidden = false;
  }

  #box(name) {
    return this.find(`[name=bar-network][value="${CSS.escape(name)}"]`);
  }

  /** Show what this network makes of the photo, beside the others. */
  compare(name) {
    this.#box(name).checked = true;
    [...document.querySelectorAll("#tabs button[role=tab]")]
      .find((tab) => tab.textContent.trim() === "Compare")?.click();
    this.request.networks = this.#ticked();
    this.#ask(true);
  }

  /** What the address asks for, or this tab's photo from before it was loaded again. */
  async begin() {
    const address = readAddress();
    const { mine, last, lost, kept } = await restore();
    this.#mine.push(...mine.reverse());
    this.#drawMine(kept);
    if (this.#choices) return; // somebody was faster
    if (last && !address.has("example")) this.#take(last, () => this.#ask());
    else if (Object.keys(requestIn(address, this.props)).length) this.changed();
    if (lost) tell("words", { words: "Your photo is no longer kept; please choose it again." });
  }

  #drawMine(kept) {
    this.find(".mine").replaceChildren(...this.#mine.map((photo) => {
      const { file: { name }, sent: { path }, thumbnail } = photo;
      return tile(path, name, `photo: ${name}`, thumbnail, () => this.#take(photo));
    }));
    this.find(".examples button").tabIndex = 0; // the strip's stop may have been one of those before
    this.find(".forget").hidden = !kept;
    this.#drawRequest();
  }

  async #forget() {
    [this.#mine, this.#sent] = [[], null];
    this.#drawMine(false);
    await forget();
    tell("words", { words: "This browser has forgotten your photos; the server will, within 70 minutes." });
  }

  listen() {
    this.find("input[type=file]").accept = this.props.accept;
    this.letChoose(".photo", (file) => this.#takeFile(file));
    const refuse = (words) => tell("words", { words, error: true });
    receiveFiles((file) => this.#takeFile(file), refuse, this.find(".drop"));
    this.on(".forget", "click", () => this.#forget());
    for (const kind of [".networks", ".paintings"]) {
      this.on(kind, "change", ({ target }) => this.#chooseNetworks(target));
    }
    this.on(".start", "click", () => this.#ask(!this.#waits));
    this.on(".size select", "change", ({ target }) => this.#set({ side: Number(target.value) }));
    this.on(".engines", "change", ({ target }) => this.#set({ engine: target.value }));
    this.on(".more", "toggle", () => this.#nameDevice());
    this.on(".strength input", "input", ({ target }) => this.#mix({ strength: Number(target.value) }));
    this.on(".colours input", "change", ({ target }) => this.#mix({ keep_colours: target.checked }));
  }

  /** Say whether something is set that has not been asked for. */
  #setWaits(waits) {
    this.#waits = waits;
    this.find(".bar").classList.toggle("waits", waits);
    this.find(".start").textContent = waits ? "Apply" : "Stylize";
  }

  /** Something else is set: small pictures come at once, large ones when somebody says so. */
  changed() {
    if (this.request.side <= this.props.small_side) this.#ask();
    else this.#setWaits(true);
  }

  /** Have the photo stylized as it is set; `anew`: also by the networks whose results are there. */
  #ask(anew = false) {
    this.#setWaits(false);
    this.request.number += 1;
    this.request.anew = anew;
    this.#note();
    this.trigger(this.request.engine === DEVICE ? "read" : "run");
    tell("asked", { anew });
  }

  /** The browser is asked for the GPU's name when somebody looks at the engines. */
  async #nameDevice() {
    const device = await findDevice();
    const words = this.find(`.engines [value=${DEVICE}] + span`);
    if (device) words.textContent = `This device (${device.name})`;
  }

  /** The server does what the device cannot. */
  leaveDevice() {
    this.request.engine = this.first.engine;
    this.find(`.engines [value=${this.first.engine}]`).checked = true;
    this.#ask();
  }

  #set(changes) {
    Object.assign(this.request, changes);
    this.#drawRequest();
    this.changed();
  }

  /** Which photo it is, what each size makes of it, and what a large one costs. */
  #drawRequest() {
    const { props, request: { example, networks, photo, side } } = this;
    const key = photo?.path ?? example; // what the server knows it by
    pressTile(this.find(".strip"), key);
    const rate = networks.reduce((sum, name) => sum + this.#seconds[name], 0);
    for (const option of this.find(".size select").options) {
      option.text = sizeInWords(Number(option.value), this.#sizes.get(key), props.small_side, rate);
    }
    this.find(".size select").value = side;
    this.find(".now").textContent = `${side} px`;
  }

  #mix(changes) {
    Object.assign(this.request, changes);
    this.find(".strength output").textContent = `${this.request.strength} %`;
    this.#note();
    this.trigger("mix");
  }

  /** What is set, for the server and in the address, without a photo of the visitor's. */
  #note() {
    this.props.value = { ...this.request };
    noteRequest(this.request, this.first);
  }

  #chooseNetworks(box) {
    if (!this.#ticked().length) {
      box.checked = true;
      tell("words", { words: "At least one network is needed.", error: true });
      return;
    }
    this.#set({ networks: this.#ticked() });
  }

  #ticked() {
    return [...this.element.querySelectorAll("[name=bar-network]:checked")].map(({ value }) => value);
  }

  #choosePhoto(photo, example) {
    Object.assign(this.request, { photo, example });
    this.#drawRequest();
  }

  #chooseExample(name) {
    this.#choices += 1;
    this.#sent = null;
    showNone();
    this.#choosePhoto(null, name);
    this.changed();
  }

  #takeFile(file) {
    this.#take({ id: Date.now(), file, sent: null, thumbnail: null });
  }

  /** Send a photo, if the server has it no longer, and have it stylized. */
  async #take(photo, begin = () => this.changed()) {
    const { file } = photo;
    const number = ++this.#choices;
    this.#showPhoto(photo.thumbnail, file.name);
    try {
      if (!(photo.sent && await isThere(photo.sent))) {
        tell("words", { words: "Sending the photo …" });
        photo.sent = await send(file, this.upload);
      }
      this.#sizes.set(photo.sent.path, await sizeOf(file));
      if (number !== this.#choices) return;
      this.#sent = photo;
      this.#choosePhoto(photo.sent, null);
      begin();
    } catch {
      if (number !== this.#choices) return;
      const words = "The photo could not be sent: it is too large, or the server does not answer.";
      tell("words", { words, error: true });
      this.#showPhoto(this.shown.address, this.shown.name);
    }
  }

  /** The photo as the server has read it, since browsers do not show every format; or its refusal. */
  takeShown({ photo, thumbnail, seconds, name, number, error }) {
    const { request } = this;
    this.#seconds = seconds;
    if (photo === (request.photo?.path ?? request.example)) {
      this.shown = { photo: request.photo, example: request.example, address: thumbnail, name };
      if (this.#sent?.sent === request.photo) this.#keep(thumbnail);
    } else if (error && number === request.number) {
      this.#choosePhoto(this.shown.photo, this.shown.example);
      this.#note();
    } else return;
    this.#showPhoto(thumbnail, name);
    this.#drawRequest();
  }

  /** Only now, or a file that cannot be read would come again and again. */
  #keep(thumbnail) {
    const photo = this.#sent;
    this.#sent = null;
    photo.thumbnail = thumbnail;
    const same = this.#mine.find(({ sent }) => sent.path === photo.sent.path);
    if (same) photo.id = same.id;
    else this.#mine = [photo, ...this.#mine].slice(0, MOST);
    const drawn = [...this.find(".mine").children].some(({ dataset }) => dataset.key === photo.sent.path);
    if (!drawn) this.#drawMine(true); // or the tile just pressed would lose the focus
    keep(photo);
  }

  #showPhoto(address, name) {
    const picture = this.find(".photo img");
    if (address) picture.src = address;
    else picture.removeAttribute("src"); // a plain tile
    this.find(".photo").setAttribute("aria-label", `Your photo: choose one. Now: ${name}`);
  }
}
