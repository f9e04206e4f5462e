// "Your painting": what is to be learned is asked for, and looked at while it is.

import { send } from "../bar/photo.js";
import { make, Part } from "../dom.js";
import { hear, tell } from "../messages.js";
import { drawCurve } from "./curve.js";

const EVERY = 2000; // ms
const LOST = "The server does not answer.";
const LARGE = "The file could not be sent: it is too large, or the server does not answer.";

export function start(component) {
  const tab = new PaintingTab(component);
  tab.fill();
  tab.listen();
  tab.look();
}

const isCheckpoint = (file) => file.name.endsWith(".safetensors");

function minutes(seconds) {
  const whole = Math.max(1, Math.round(seconds / 60));
  return whole === 1 ? "a minute" : `${whole} minutes`;
}

class PaintingTab extends Part {
  #file = null; // the painting, as the server knows it
  #training = null; // as the server told last
  #shown = ""; // photo and weights of the picture
  #photo = null; // Compare's
  #timer = 0;

  constructor({ element, props, upload }) {
    super(element);
    Object.assign(this, { props, upload });
  }

  get network() {
    return this.find(".network").value;
  }

  fill() {
    for (const name of this.props.networks) this.find(".network").append(new Option(name));
    for (const steps of this.props.steps) this.find(".steps").append(new Option(`${steps} steps`, steps));
    this.find(".steps").value = this.props.first_steps;
    this.find(".file").accept = this.props.accept;
  }

  listen() {
    this.letChoose(".choose", (file) => this.#take(file));
    this.takeDropped((file) => this.#take(file));
    hear("shown", ({ photo }) => (this.#photo = photo));
    this.on(".start", "click", () => this.#train());
    this.on(".stop", "click", () => {
      this.say("It stops and saves after this step …");
      this.#ask("stop", {});
    });
    this.on(".go-on", "click", () => this.#ask("go-on", { steps: Number(this.find(".steps").value) }));
    this.on(".network", "change", () => this.#tellMinutes());
    new IntersectionObserver(() => {
      if (!this.isOpen) return;
      this.look();
      this.#tellMinutes();
    }).observe(this.element);
  }

  /** See how far it is, again and again while somebody looks. */
  async look() {
    clearTimeout(this.#timer);
    try {
      this.#show(await (await this.#fetch("state")).json());
    } catch {
      this.say(LOST, true);
    }
    if (this.isOpen) this.#timer = setTimeout(() => this.look(), EVERY);
  }

  #address = (path) => new URL(`.${this.props.route}/${path}`, document.baseURI).href;

  #fetch = (path, options) => fetch(this.#address(path), options);

  /** Have the server do something; whether it did. */
  async #ask(action, body) {
    try {
      const options = { method: "POST", body: JSON.stringify(body) };
      const answer = await (await this.#fetch(action, options)).json();
      if (answer.error) this.say(answer.error, true);
      else this.#show(answer);
      return !answer.error;
    } catch {
      this.say(LOST, true);
      return false;
    }
  }

  async #take(file) {
    this.say("Sending the file …");
    try {
      const sent = await send(file, this.upload);
      if (isCheckpoint(file)) {
        if (await this.#ask("load", { file: sent })) this.say("The checkpoint is there, below.");
        return;
      }
      this.#file = sent;
    } catch {
      this.say(LARGE, true);
      return;
    }
    const picture = this.find(".choose img");
    URL.revokeObjectURL(picture.src);
    Object.assign(picture, { src: URL.createObjectURL(file), hidden: false });
    this.find(".choose span").textContent = file.name;
    this.say("");
    this.#showButtons();
  }

  async #train() {
    const body = {
      file: this.#file,
      network: this.network,
      steps: Number(this.find(".steps").value),
      photos: this.find(".photos input").value,
    };
    this.say("The painting is being read …");
    if (!(await this.#ask("train", body))) return;
    this.#file = null;
    this.find(".choose img").hidden = true;
    this.find(".choose span").textContent = "Choose a painting";
    this.#showButtons();
  }

  /** How long each choice takes, as soon as the server has tried a few steps. */
  async #tellMinutes() {
    const { network } = this;
    const asked = this.#fetch(`pace?network=${network}`);
    const { seconds } = await asked.then((answer) => answer.json()).catch(() => ({}));
    if (network !== this.network) return;
    for (const option of this.find(".steps").options) {
      const steps = `${option.value} steps`;
      option.textContent = seconds ? `about ${minutes(option.value * seconds)}: ${steps}` : steps;
    }
  }

  #show({ training, paintings, download }) {
    const before = this.#training;
    this.#training = training;
    this.#showButtons();
    this.#list(paintings);
    this.find(".panes").hidden = !training;
    if (!training) {
      const size = `VGG-16’s weights, ${this.props.download_size}, are downloaded at the first training.`;
      if (download < 1 && !this.find(".words").textContent) this.say(size);
      return;
    }
    const { name, title, running, error, step, steps } = training;
    const progress = this.find("progress");
    progress.hidden = !running;
    if (running) progress.value = download < 1 ? download : step / steps;
    if (running || before?.running || !before || before.step !== step) this.say(error || this.#words(training, download), Boolean(error));
    this.find(".painting h3").textContent = title;
    const painting = this.#address(`files/${encodeURIComponent(name)}/painting`);
    if (this.find(".painting img").src !== painting) this.find(".painting img").src = painting;
    drawCurve(this.find(".losses"), training.curve);
    this.#showPicture(training);
  }

  #words({ network, step, steps, running, seconds_left: left }, download) {
    if (running && download < 1) {
      return `VGG-16’s weights are downloaded, once: ${Math.round(100 * download)} % of ${this.props.download_size}`;
    }
    const after = `${step} of ${steps} steps`;
    if (!running) return step < steps ? `Stopped after ${after}, and kept.` : `${network} has learned it in ${steps} steps.`;
    if (!step) return "It begins; the first steps take longest …";
    return left === null ? `${after} …` : `${after}, about ${minutes(left)} left`;
  }

  #showButtons() {
    const running = this.#training?.running ?? false;
    this.find(".start").disabled = running || !this.#file;
    this.find(".stop").hidden = !running;
    this.find(".go-on").hidden = running || !this.#training;
    this.find(".bar").classList.toggle("learning", running);
  }

  /** The photo by the weights saved last. */
  #showPicture({ name, version, step }) {
    const key = `${this.#photo} ${name} ${version}`;
    if (!this.#photo || !this.isOpen || key === this.#shown) return;
    this.#shown = key;
    const query = new URLSearchParams({ photo: this.#photo, version });
    const picture = new Image();
    picture.src = this.#address(`picture?${query}`);
    picture.decode().then(() => {
      this.find(".result img").src = picture.src;
      this.find(".result .facts").textContent = step ? `after ${step} steps` : "before the first step";
    }, () => {});
  }

  #list(paintings) {
    const list = this.find(".learned ul");
    this.find(".learned").hidden = !paintings.length;
    tell("paintings", paintings);
    if (list.dataset.shown === JSON.stringify(paintings)) return;
    list.dataset.shown = JSON.stringify(paintings);
    list.replaceChildren(...paintings.map(({ name, title, words, weights }) => {
      const compare = make("button", { type: "button" }, "Compare");
      compare.addEventListener("click", () => tell("compare", name));
      const href = this.#address(`files/${encodeURIComponent(name)}/checkpoint`);
      const keep = make("a", { href, download: "" }, "Download the checkpoint");
      const command = make("code", {}, `python -m nst.stylize photo.jpg -o out.png --weights ${weights}`);
      return make("li", {}, make("span", { class: "title" }, words ?? title), compare, keep, command);
    }));
  }
}
