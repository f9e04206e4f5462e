// The camera's frames, sent to be painted and shown as they come back; see nst/web/live/socket.py.

const find = (selector) => element.querySelector(selector);
const all = (selector) => [...element.querySelectorAll(selector)];

const AT_FIRST = ["baseline", "v4"];
const NONE = 255; // no second network
const UNDER_WAY = 2; // frames at most
const QUALITY = 0.85; // of the JPEG that is sent
const WAIT_THERE = 4; // ms that a frame shall wait at the server, so that it never waits for one
const RATE_OVER = 3000; // ms

const LOST = "The connection to the server is lost.";
const NO_CAMERA = "There is no camera here.";
const REFUSALS = { // by the error's name
  NotAllowedError: "The camera is not allowed here; the browser’s settings for this page can change that.",
  NotFoundError: NO_CAMERA,
  OverconstrainedError: NO_CAMERA,
  NotReadableError: "The camera cannot be read; another program may be using it.",
};

const names = props.networks.map(([name]) => name);
const selects = all(".network");
const panes = all("figure").map((figure) => ({
  figure,
  canvas: figure.querySelector("canvas"),
  context: figure.querySelector("canvas").getContext("bitmaprenderer"),
  shown: [], // of each picture: when, how long its way was, and the network's time, in ms
}));
const frame = new OffscreenCanvas(384, 288);
const draw = frame.getContext("2d", { alpha: false, willReadFrequently: true });
let visit = null; // what runs, or nothing
let asking = false; // for the camera

function say(words, error = false) {
  find(".words").textContent = error ? "" : words;
  find(".error").textContent = error ? words : "";
}

/** The networks that are wanted, as positions: one or two. */
function wanted() {
  return selects.map((select) => Number(select.value)).filter((position) => position !== NONE);
}

function describe() {
  const positions = wanted();
  panes.forEach((pane, index) => {
    const position = positions[index];
    pane.figure.hidden = position === undefined;
    pane.shown = [];
    if (pane.figure.hidden) return;
    const [name, words] = props.networks[position];
    pane.figure.querySelector("h3").textContent = name;
    pane.figure.querySelector(".facts").textContent = words;
    pane.figure.querySelector(".rate").textContent = "";
    pane.canvas.setAttribute("aria-label", `the camera as ${name} paints it`);
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** How many frames a second, and how long each takes. */
function tellRates() {
  const now = performance.now();
  for (const { figure, shown } of panes) {
    while (shown.length && shown[0].at < now - RATE_OVER) shown.shift();
    if (shown.length < 2) continue;
    const rate = (1000 * (shown.length - 1)) / (shown.at(-1).at - shown[0].at);
    const network = mean(shown.map((picture) => picture.network)).toFixed(0);
    const way = mean(shown.map((picture) => picture.way)).toFixed(0);
    figure.querySelector(".rate").textContent =
      `${rate.toFixed(rate < 10 ? 1 : 0)} frames a second · network ${network} ms · round trip ${way} ms`;
  }
}

/** One visit: from the camera's first frame to the end of the connection. */
class Visit {
  constructor(stream) {
    this.stream = stream;
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
    this.sent = new Map(); // frame's number -> when it was taken, and how many pictures are missing
    this.number = 0;
    this.delay = 0; // ms between a picture and the next frame
    this.going = this.taking = this.over = false;
    this.telling = setInterval(tellRates, 500);
    stream.getVideoTracks()[0].addEventListener("ended", () => this.end("The camera has stopped.", true));
  }

  async begin() {
    await this.video.play();
    if (this.over) return;
    const root = window.gradio_config?.root ?? window.location.origin;
    const socket = (this.socket = new WebSocket(root.replace(/^http/, "ws").replace(/\/$/, "") + props.route));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("close", () => this.end(LOST, true));
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.hear(JSON.parse(data));
      else this.show(data);
    });
  }

  hear({ wait, go, pause, end }) {
    say(wait ?? go ?? pause ?? "");
    this.paused = Boolean(pause);
    if (end) this.end(end, true);
    if (!go) return;
    this.going = true;
    this.send();
  }

  /** Take a frame of the camera and send it, if not enough are under way. */
  async send() {
    if (!this.going || this.over || this.taking || this.sent.size >= UNDER_WAY) return;
    this.taking = true;
    const at = performance.now();
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, Number(find(".side").value) / Math.max(width, height));
    const size = [width, height].map((length) => Math.max(16, Math.round(length * scale)));
    if (frame.width !== size[0] || frame.height !== size[1]) [frame.width, frame.height] = size;
    draw.setTransform(find(".mirror input").checked ? -1 : 1, 0, 0, 1, find(".mirror input").checked ? size[0] : 0, 0);
    draw.drawImage(this.video, 0, 0, ...size);
    const jpeg = await frame.convertToBlob({ type: "image/jpeg", quality: QUALITY });
    this.taking = false;
    if (this.over || this.socket.readyState !== WebSocket.OPEN) return;
    const positions = wanted();
    const head = new DataView(new ArrayBuffer(6));
    head.setUint32(0, (this.number += 1), true);
    head.setUint8(4, positions[0]);
    head.setUint8(5, positions[1] ?? NONE);
    this.sent.set(this.number, { at, missing: positions.length });
    this.socket.send(new Blob([head, jpeg]));
    this.send();
  }

  /** A painted frame. */
  async show(data) {
    const head = new DataView(data, 0, 13);
    const number = head.getUint32(0, true);
    const [network, waited] = [head.getFloat32(5, true), head.getFloat32(9, true)];
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 13)], { type: "image/jpeg" }));
    if (this.over) return;
    if (this.paused) this.hear({ go: "Live." });
    const pane = panes[wanted().indexOf(head.getUint8(4))];
    const sent = this.sent.get(number);
    if (pane) {
      const { canvas, context, shown } = pane;
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      }
      context.transferFromImageBitmap(bitmap);
      const now = performance.now();
      shown.push({ at: now, way: now - sent.at, network });
    }
    sent.missing -= 1;
    if (sent.missing) return;
    this.sent.delete(number);
    // As late as the next one can be without letting the server wait, so that it is fresh.
    this.delay = Math.min(Math.max(this.delay + 0.2 * (waited - WAIT_THERE), 0), 2000);
    setTimeout(() => this.send(), this.delay);
  }

  end(words, error = false) {
    if (this.over) return;
    this.over = true;
    clearInterval(this.telling);
    this.socket?.close();
    for (const track of this.stream.getTracks()) track.stop();
    visit = null;
    find(".start").textContent = error ? "Start again" : "Start the camera";
    say(words, error);
  }
}

async function start() {
  if (!navigator.mediaDevices?.getUserMedia) {
    say("Browsers give a page the camera only over https or on this machine itself.", true);
    return;
  }
  if (asking) return;
  asking = true;
  say("Waiting for the camera …");
  try {
    const video = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
    visit = new Visit(await navigator.mediaDevices.getUserMedia({ video }));
  } catch (error) {
    say(REFUSALS[error.name] ?? "The camera cannot be used here.", true);
    return;
  } finally {
    asking = false;
  }
  find(".start").textContent = "Stop";
  for (const pane of panes) pane.shown = [];
  if (!element.checkVisibility() || document.hidden) leave();
  else await visit.begin();
}

/** Nobody looks: the camera stops. */
function leave() {
  visit?.end("Stopped, because this was left.");
}

props.networks.forEach(([name], position) => {
  for (const select of selects) select.append(new Option(name, position));
});
selects[1].append(new Option("no second one", NONE));
selects.forEach((select, index) => {
  const position = names.indexOf(AT_FIRST[index]);
  select.value = position < 0 ? index : position;
  let before = select.value;
  select.addEventListener("change", () => {
    const other = selects[1 - index]; // the same twice shows nothing
    if (other.value === select.value) {
      other.value = before;
      other.dispatchEvent(new Event("change"));
    }
    before = select.value;
    describe();
  });
});
describe();
find(".start").addEventListener("click", () => (visit ? visit.end("Stopped.") : start()));
document.addEventListener("visibilitychange", () => document.hidden && leave());
window.addEventListener("pagehide", leave);
new IntersectionObserver(() => element.checkVisibility() || leave()).observe(element);
