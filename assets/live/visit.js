// One visit: from the camera's first frame to the end of the connection; see nst/web/live/socket.py.

import { makeCanvas } from "../dom.js";

const NONE = 255; // no second network
const UNDER_WAY = 2; // frames at most
const QUALITY = 0.85; // of the JPEG that is sent
const WAIT_THERE = 4; // ms that a frame shall wait at the server, so that it never waits for one
const LOST = "The connection to the server is lost.";

export class Visit {
  #frame = makeCanvas([384, 288]);
  #context = this.#frame.getContext("2d", { alpha: false, willReadFrequently: true });
  #sent = new Map(); // frame's number -> when it was taken, and how many pictures are missing
  #number = 0;
  #delay = 0; // ms between a picture and the next frame
  #going = false;
  #paused = false;
  #taking = false; // a frame of the camera
  #over = false;
  #socket = null;

  /** `panel` says what is wanted, shows pictures and words, and hears of the end. */
  constructor(stream, panel) {
    [this.stream, this.panel] = [stream, panel];
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
    stream.getVideoTracks()[0].addEventListener("ended", () => this.end("The camera has stopped.", true));
  }

  async begin() {
    await this.video.play();
    if (this.#over) return;
    const address = new URL(`.${this.panel.route}`, document.baseURI).href.replace(/^http/, "ws");
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("close", () => this.end(LOST, true));
    this.#socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.#hear(JSON.parse(data));
      else this.#show(data);
    });
  }

  #hear({ wait, go, pause, end }) {
    this.panel.say(wait ?? go ?? pause ?? "");
    this.#paused = Boolean(pause);
    if (end) this.end(end, true);
    if (!go) return;
    this.#going = true;
    this.#send();
  }

  /** Take a frame of the camera and send it, if not enough are under way. */
  async #send() {
    if (!this.#going || this.#over || this.#taking || this.#sent.size >= UNDER_WAY) return;
    this.#taking = true;
    const at = performance.now();
    this.#drawFrame();
    const jpeg = await new Promise((done) => this.#frame.toBlob(done, "image/jpeg", QUALITY));
    this.#taking = false;
    if (this.#over || this.#socket.readyState !== WebSocket.OPEN) return;
    const { wanted } = this.panel;
    const head = new DataView(new ArrayBuffer(6));
    head.setUint32(0, (this.#number += 1), true);
    head.setUint8(4, wanted[0]);
    head.setUint8(5, wanted[1] ?? NONE);
    this.#sent.set(this.#number, { at, missing: wanted.length });
    this.#socket.send(new Blob([head, jpeg]));
    this.#send();
  }

  #drawFrame() {
    const { side, mirrored } = this.panel;
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
    const [width, height] = [videoWidth, videoHeight].map((length) => Math.max(16, Math.round(length * scale)));
    if (this.#frame.width !== width || this.#frame.height !== height) {
      [this.#frame.width, this.#frame.height] = [width, height];
    }
    this.#context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
    this.#context.drawImage(this.video, 0, 0, width, height);
  }

  /** A stylized frame. */
  async #show(data) {
    const head = new DataView(data, 0, 13);
    const number = head.getUint32(0, true);
    const [network, waited] = [head.getFloat32(5, true), head.getFloat32(9, true)];
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 13)], { type: "image/jpeg" }));
    if (this.#over) return;
    if (this.#paused) this.#hear({ go: "Live." });
    const sent = this.#sent.get(number);
    this.panel.show(head.getUint8(4), bitmap, { way: performance.now() - sent.at, network });
    sent.missing -= 1;
    if (sent.missing) return;
    this.#sent.delete(number);
    // As late as the next one can be without letting the server wait, so that it is fresh.
    this.#delay = Math.min(Math.max(this.#delay + 0.2 * (waited - WAIT_THERE), 0), 2000);
    setTimeout(() => this.#send(), this.#delay);
  }

  end(words, error = false) {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.close();
    for (const track of this.stream.getTracks()) track.stop();
    this.panel.ended(words, error);
  }
}
