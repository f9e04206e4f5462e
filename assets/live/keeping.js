// What is seen, to keep: a picture of it, or a video.

import { makeCanvas } from "../dom.js";
import { keep } from "../viewer/saving.js";

const LINE = 32; // px below a picture, for its network's name
const FONT = "600 18px ui-sans-serif, system-ui, sans-serif";
const BITS = 8e6; // a second of a video: strokes are fine
const PIECE = 1000; // ms of a video that are put away at once
const TYPES = ["video/mp4;codecs=avc1.42E01F", "video/mp4", "video/webm"]; // H.264 plays everywhere

const type = TYPES.find((name) => globalThis.MediaRecorder?.isTypeSupported(name));
export const canRecord = Boolean(type && HTMLCanvasElement.prototype.captureStream);

/** The panes' pictures side by side and whole, with the networks' names, on a canvas as it is. */
function drawPanes(canvas, panes) {
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#1a1a1a";
  context.font = FONT;
  const [width, height] = [canvas.width / panes.length, canvas.height - LINE];
  panes.forEach(({ canvas: picture, name }, index) => {
    const scale = Math.min(width / picture.width, height / picture.height);
    const size = [picture.width * scale, picture.height * scale];
    const left = index * width + (width - size[0]) / 2;
    context.drawImage(picture, left, (height - size[1]) / 2, ...size);
    context.fillText(name, left + 8, canvas.height - 10);
  });
}

/** A canvas on which the panes' pictures have their full size; videos have even sides. */
function canvasFor(panes) {
  const [width, height] = ["width", "height"].map((side) => Math.max(...panes.map(({ canvas }) => canvas[side])));
  const canvas = makeCanvas([panes.length * width, height + LINE].map((side) => side + (side % 2)));
  drawPanes(canvas, panes);
  return canvas;
}

/** "live-baseline-v4-2026-11-30-22-10-05.png" */
function fileName(panes, ending) {
  const time = new Date().toLocaleString("sv").replace(/[ :]/g, "-"); // Sweden's is the ISO's
  return `live-${panes.map(({ name }) => name).join("-")}-${time}.${ending}`;
}

export function keepPicture(panes) {
  canvasFor(panes).toBlob((png) => keep(png, fileName(panes, "png")), "image/png");
}

/** A video of what is seen, which is kept when it ends. */
export class Recording {
  #pieces = [];

  constructor(panes) {
    this.canvas = canvasFor(panes); // its size stays: players mind others
    const settings = { mimeType: type, videoBitsPerSecond: BITS };
    this.recorder = new MediaRecorder(this.canvas.captureStream(), settings);
    this.recorder.addEventListener("dataavailable", ({ data }) => this.#pieces.push(data));
    const name = fileName(panes, type.match(/\/(\w+)/)[1]);
    this.recorder.addEventListener("stop", () => keep(new Blob(this.#pieces, { type }), name));
    this.recorder.start(PIECE);
  }

  draw(panes) {
    drawPanes(this.canvas, panes);
  }

  stop() {
    this.recorder.stop();
    for (const track of this.recorder.stream.getTracks()) track.stop();
  }
}
