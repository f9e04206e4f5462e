// What is stylized while it moves: the camera, or a video of the visitor's.

import { makeCanvas } from "../dom.js";

const LEAST = 16; // px a side, which networks need
const WISH = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

const INSECURE = "Browsers give a page the camera only over https or on this machine itself.";
const NO_CAMERA = "There is no camera here.";
const REFUSALS = { // by the error's name
  NotAllowedError: "The camera is not allowed here; the browser’s settings for this page can change that.",
  NotFoundError: NO_CAMERA,
  OverconstrainedError: NO_CAMERA,
  NotReadableError: "The camera cannot be read; another program may be using it.",
};
const CAMERA_FAILS = "The camera cannot be used here.";
const NO_VIDEO = "This browser cannot play this file as a video.";

/** Frames of something that plays, as large as they are wanted. */
class Source {
  frame = makeCanvas([384, 288]);
  #context = this.frame.getContext("2d", { alpha: false, willReadFrequently: true });
  #wake = () => {};

  /** @param settings of the video: what it plays */
  constructor(settings) {
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, ...settings });
  }

  /** @throws {Error} it does not play, or there is nothing to see in it */
  async begin() {
    await this.video.play();
    if (!this.video.videoWidth) throw new Error("there is only sound");
  }

  /** Draw what is seen now into `frame`, whose longer side is at most so many px. */
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
    this.video.pause();
  }
}

class Camera extends Source {
  constructor(stream) {
    super({ srcObject: stream });
    this.stream = stream;
    [this.track] = stream.getVideoTracks();
  }

  get #facing() {
    return this.track.getSettings().facingMode; // unknown on most laptops
  }

  /** Whether people expect to see it as in a mirror. */
  get isMirror() {
    return this.#facing !== "environment";
  }

  async begin() {
    await super.begin();
    const devices = await navigator.mediaDevices.enumerateDevices();
    const several = devices.filter(({ kind }) => kind === "videoinput").length > 1;
    /** Where the device's other camera faces, if it has one at its other side. */
    this.otherSide = several && this.#facing ? (this.isMirror ? "environment" : "user") : null;
  }

  whenItEnds(react) {
    this.track.addEventListener("ended", () => react("The camera has stopped."));
  }

  stop() {
    super.stop();
    for (const track of this.stream.getTracks()) track.stop();
  }
}

/** A video that begins again where it ends. */
class Video extends Source {
  isMirror = false;
  otherSide = null;

  constructor(file) {
    super({ src: URL.createObjectURL(file), loop: true });
  }

  whenItEnds(react) {
    this.video.addEventListener("error", () => react("This browser cannot play the rest of this video."));
  }

  stop() {
    super.stop();
    URL.revokeObjectURL(this.video.src);
  }
}

/** @throws {Error} its message is a sentence for the visitor */
async function begun(source, words) {
  try {
    await source.begin();
    return source;
  } catch (error) {
    source.stop();
    throw new Error(words, { cause: error });
  }
}

/**
 * The camera that faces the "user" or the "environment", or the only one.
 * @throws {Error} its message is a sentence for the visitor
 */
export async function openCamera(facing) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(INSECURE);
  const wish = { video: { ...WISH, facingMode: facing } };
  const stream = await navigator.mediaDevices.getUserMedia(wish).catch((error) => {
    throw new Error(REFUSALS[error.name] ?? CAMERA_FAILS, { cause: error });
  });
  return begun(new Camera(stream), CAMERA_FAILS);
}

/** @throws {Error} its message is a sentence for the visitor */
export const openVideo = (file) => begun(new Video(file), NO_VIDEO);
