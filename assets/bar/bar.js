// The controls. What is set is asked for at once, but for large pictures.

import { readAddress, writeAddress } from "../address.js";
import { make, Part } from "../dom.js";
import { hear, tell } from "../messages.js";
import { asToolbar } from "../toolbar.js";
import { foldAway } from "./folding.js";
import { forget, keep, restore } from "./keeping.js";
import { receiveFiles, send } from "./photo.js";

export function start(component) {
  const { element, props } = component;
  const bar = new Bar(component);
  bar.fill();
  bar.listen();
  foldAway(element);
  hear("shown", (shown) => bar.takeShown(shown));
  window.addEventListener("hashchange", async () => {
    await bar.forgetPhoto(); // a link to another view, pasted
    location.reload();
  });
  bar.begin();
}

/** What the address asks for, as far as there is such a thing. */
function requestIn(address, { examples, sides, networks, engines }) {
  const among = (values, value) => (values.includes(value) ? value : undefined);
  const names = address.get("networks")?.split(",") ?? [];
  const chosen = networks.filter((name) => names.includes(name));
  const strength = Math.min(Math.max(Number(address.get("strength")) || 0, 0), 100);
  const found = {
    example: among(examples.map(([name]) => name), address.get("example")),
    side: among(sides.map(([, side]) => side), Number(address.get("size"))),
    networks: chosen.length ? chosen : undefined,
    engine: among(engines.map(([, name]) => name), address.get("engine")),
    strength: address.has("strength") ? strength : undefined,
    keep_colours: address.has("colours") || undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function choice(type, name, value, text, checked) {
  const input = make("input", { type, name, value });
  input.checked = checked;
  return make("label", {}, input, make("span", {}, text));
}

class Bar extends Part {
  #choices = 0; // of photos; a later one counts, however long an earlier one was on its way
  #waits = false;
  #unkept = null; // a file that the server has not read yet

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
    for (const [name, address] of props.examples) {
      const picture = make("img", { src: address, alt: `example: ${name}` });
      const button = make("button", { type: "button", title: name, "data-name": name }, picture);
      button.addEventListener("click", () => {
        this.#choices += 1;
        this.#choosePhoto(null, name);
        this.forgetPhoto();
      });
      this.find(".examples").append(button);
    }
    asToolbar(this.find(".examples"));
    this.#pressExample();
    this.#showPhoto(Object.fromEntries(props.examples)[request.example], request.example);
    for (const [text, side] of props.sides) this.find(".size select").append(new Option(text, side));
    for (const name of props.networks) {
      this.find(".networks").append(
        choice("checkbox", "bar-network", name, name, request.networks.includes(name)));
    }
    for (const [text, name] of props.engines) {
      this.find(".engines").append(choice("radio", "bar-engine", name, text, name === request.engine));
    }
    this.find(".size select").value = request.side;
    this.find(".strength input").step = props.strength_step;
    this.find(".strength input").value = request.strength;
    this.find(".strength output").textContent = `${request.strength} %`;
    this.find(".colours input").checked = request.keep_colours;
  }

  /** What the address asks for, or this tab's photo from before it was loaded again. */
  async begin() {
    const address = readAddress();
    const { file, lost, kept } = await restore();
    if (this.#choices) return; // somebody was faster
    this.find(".forget").hidden = !kept;
    if (file && !address.has("example")) this.#take(file);
    else if (Object.keys(requestIn(address, this.props)).length) this.changed();
    if (lost) tell("words", { words: "Your photo is no longer kept; please choose it again." });
  }

  async forgetPhoto() {
    this.#unkept = null;
    this.find(".forget").hidden = true;
    await forget();
  }

  listen() {
    const picker = this.find("input[type=file]");
    picker.accept = this.props.accept;
    this.on(".photo", "click", () => picker.click());
    picker.addEventListener("change", () => {
      if (picker.files.length) this.#take(picker.files[0]);
      picker.value = ""; // so that the same one can be chosen again
    });
    const refuse = (words) => tell("words", { words, error: true });
    receiveFiles((file) => this.#take(file), refuse, this.find(".drop"));
    this.on(".forget", "click", async () => {
      await this.forgetPhoto();
      tell("words", { words: "This browser has forgotten your photo; the server will, within 70 minutes." });
    });
    this.on(".networks", "change", ({ target }) => this.#chooseNetworks(target));
    this.on(".start", "click", () => this.#ask(!this.#waits));
    this.on(".size select", "change", ({ target }) => this.#set({ side: Number(target.value) }));
    this.on(".engines", "change", ({ target }) => this.#set({ engine: target.value }));
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
    this.trigger("run");
    tell("asked");
  }

  #set(changes) {
    Object.assign(this.request, changes);
    this.changed();
  }

  #mix(changes) {
    Object.assign(this.request, changes);
    this.find(".strength output").textContent = `${this.request.strength} %`;
    this.#note();
    this.trigger("mix");
  }

  /** What is set, for the server and in the address, without a photo of the visitor's. */
  #note() {
    const { first, request } = this;
    this.props.value = { ...request };
    const changed = (name, value = request[name]) =>
      `${request[name]}` === `${first[name]}` ? null : value; // what is as at first is left out
    writeAddress({
      example: request.photo ? null : changed("example"),
      size: changed("side"),
      networks: changed("networks", request.networks.join()),
      engine: changed("engine"),
      strength: changed("strength"),
      colours: changed("keep_colours", 1),
    });
  }

  #chooseNetworks(box) {
    const ticked = this.element.querySelectorAll(".networks input:checked");
    if (!ticked.length) {
      box.checked = true;
      tell("words", { words: "At least one network is needed.", error: true });
      return;
    }
    this.#set({ networks: [...ticked].map((input) => input.value) });
  }

  #choosePhoto(photo, example) {
    this.#set({ photo, example });
    this.#pressExample();
  }

  #pressExample() {
    for (const button of this.element.querySelectorAll(".examples button")) {
      button.setAttribute("aria-pressed", button.dataset.name === this.request.example);
    }
  }

  async #take(file) {
    const number = ++this.#choices;
    this.#showPhoto(null, file.name);
    tell("words", { words: "Sending the photo …" });
    try {
      const sent = await send(file, this.upload);
      if (number !== this.#choices) return;
      this.#unkept = file;
      this.#choosePhoto(sent, null);
    } catch {
      if (number !== this.#choices) return;
      const words = "The photo could not be sent: it is too large, or the server does not answer.";
      tell("words", { words, error: true });
      this.#showPhoto(this.shown.address, this.shown.name);
    }
  }

  /** The photo as the server has read it, since browsers do not show every format; or its refusal. */
  takeShown({ photo, address, name, number, error }) {
    const { request } = this;
    if (photo === (request.photo?.path ?? request.example)) {
      this.shown = { photo: request.photo, example: request.example, address, name };
      if (request.photo) this.#keepPhoto();
    } else if (error && number === request.number) {
      Object.assign(request, { photo: this.shown.photo, example: this.shown.example });
      this.#pressExample();
      this.#note();
    } else return;
    this.#showPhoto(address, name);
  }

  /** Only now, or a file that cannot be read would come again and again. */
  async #keepPhoto() {
    const file = this.#unkept;
    this.#unkept = null;
    if (file && (await keep(file))) this.find(".forget").hidden = false;
  }

  #showPhoto(address, name) {
    const picture = this.find(".photo img");
    if (address) picture.src = address;
    else picture.removeAttribute("src"); // a plain tile
    this.find(".photo").setAttribute("aria-label", `Your photo: choose one. Now: ${name}`);
  }
}
