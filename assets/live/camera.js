// The camera, and its frames as large as they are wanted.

import { makeCanvas } from "../dom.js";

const LEAST = 16; // px a side, which networks need

export class Camera {
  frame = makeCanvas([384, 288]);
  #context = this.frame.getContext("2d", { alpha: false, willReadFrequently: true });
  #wake = () => {};

  constructor(stream) {
    this.stream = stream;
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
  }

  begin() {
    return this.video.play();
  }

  whenItEnds(react) {
    this.stream.getVideoTracks()[0].addEventListener("ended", react);
  }

  /** Draw what it sees now into `frame`, whose longer side is at most so many px. */
  draw({ side, mirrored }) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
    const [width, height] = [videoWidth, videoHeight].map((length) => Math.max(LEAST, Math.round(length * scale)));
    if (this.frame.width !== width || this.frame.height !== height) {
      [this.frame.width, this.frame.height] = [width, height];
    }
    this.#context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
    this.#context.drawImage(this.video, 0, 0, width, height);
  }

  /** Comes with its next frame, or when it stops. */
  next() {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.video.requestVideoFrameCallback(resolve);
    });
  }

  stop() {
    this.#wake();
    for (const track of this.stream.getTracks()) track.stop();
  }
}
