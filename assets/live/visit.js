// One visit to the server: from the first frame to the end of the connection; see
// nst/web/live/socket.py.

const NONE = 255; // no second network
const UNDER_WAY = 2; // frames at most
const QUALITY = 0.85; // of the JPEG that is sent
const WAIT_THERE = 4; // ms that a frame shall wait at the server, so that it never waits for one
const LOST = "The connection to the server is lost.";

export class Visit {
  #sent = new Map(); // frame's number -> when it was taken, and how many pictures are missing
  #number = 0;
  #delay = 0; // ms between a picture and the next frame
  #going = false;
  #paused = false;
  #taking = false; // a frame
  #over = false;
  #socket = null;

  /** `panel` says what is wanted, shows pictures and words, and hears of the end. */
  constructor(source, panel) {
    Object.assign(this, { source, panel });
  }

  begin() {
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

  /** Take a frame and send it, if not enough are under way. */
  async #send() {
    if (!this.#going || this.#over || this.#taking || this.#sent.size >= UNDER_WAY) return;
    this.#taking = true;
    const at = performance.now();
    this.source.draw(this.panel);
    const jpeg = await new Promise((done) => this.source.frame.toBlob(done, "image/jpeg", QUALITY));
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
    this.source.stop();
    this.panel.ended(words, error);
  }
}
