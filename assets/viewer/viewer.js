// The viewer: its parts put together, what the server sends, and the buttons that belong to no part.

import { overhearClient } from "../connection.js";
import { make, ratio } from "../dom.js";
import { hear, tell } from "../messages.js";
import { asToolbar } from "../toolbar.js";
import { Drawing } from "./drawing.js";
import { listenToKeys } from "./keys.js";
import { Link } from "./link.js";
import { Modes } from "./modes.js";
import { OnDevice } from "./on_device.js";
import { Overview } from "./overview.js";
import { Panes } from "./panes.js";
import { canvasesCanBeRead } from "./png.js";
import { Pointers } from "./pointers.js";
import { Report } from "./report.js";
import { listenToSaving } from "./saving.js";
import { Spots } from "./spots.js";
import { View } from "./view.js";

export function start({ element, props, watch, trigger }) {
  const view = new View(element, props);
  const { viewport } = view;
  const [modes, report] = [new Modes(view), new Report(view)];
  const link = new Link(view, modes);
  const panes = new Panes(view, () => link.follow());
  const drawing = new Drawing(view);
  view.parts = [drawing, new Overview(view), panes, modes, new Spots(view), link];
  new Pointers(view, modes);
  listenToKeys(view, modes);
  listenToSaving(view, drawing);
  listenToFullScreen(view);
  listenToSkipping(view);
  asToolbar(view.find(".looking"));
  listenToRatio(view);
  if (!canvasesCanBeRead) offerNoDrawings(view);
  view.on(".in", "click", () => viewport.step(1, view.cursor));
  view.on(".out", "click", () => viewport.step(-1, view.cursor));
  view.on(".pixels", "click", () => viewport.look(viewport.x, viewport.y, 1));
  view.on(".fit", "click", () => viewport.fit());
  const refuse = (words) => {
    tell("device-refused");
    report.note(`${words} The server does it.`);
  };
  const onDevice = new OnDevice(
    props.device_files, (value) => show(value, { view, panes, modes, report, link }), refuse);
  view.on(".stop", "click", () => {
    report.stop();
    onDevice.stop();
    trigger("stop");
  });
  hear("asked", ({ anew }) => {
    report.wait();
    onDevice.ask(anew);
  });
  hear("queue", (place) => report.queue(place));
  hear("end", (words) => report.end(words));
  overhearClient();
  hear("words", ({ words, error }) => view.say(words, error));
  new ResizeObserver(() => view.resize()).observe(view.stage);
  element.viewer = view; // for tests, and for the curious
  modes.show("grid");
  const receive = () => props.value && onDevice.take(props.value);
  watch("value", receive);
  receive();
}

/** Show names, facts and pictures, those that are there. */
function show(value, { view, panes, modes, report, link }) {
  view.props = { value };
  report.show(value.report);
  if (value.photo !== view.photo) { // the same one stays where it is
    view.viewport.forget();
    view.viewport.wanted = link.placeOf(value.photo);
  }
  view.photo = value.photo;
  const { names } = value;
  const sent = names.map((name) => value.panes[name]);
  if (names.join() !== view.entries.map(({ name }) => name).join()) {
    panes.build(names);
    modes.offer(names);
  }
  // Without the host, which Gradio does not know behind a proxy that does not tell.
  const addresses = sent.map(
    ({ picture }) => picture && addressOf(picture.url));
  panes.fill(sent, addresses);
  const { photo, thumbnail, seconds, number, report: { error } } = value;
  if (!addresses[0]) view.viewport.size = null; // without its photo nothing is there yet
  else tell("shown", { photo, thumbnail, seconds, name: sent[0].facts[0], number, error });
  view.changed();
}

const addressOf = (url) => (url.startsWith("blob:") ? url : new URL(url, location.href).pathname);

/** The window comes to a screen with more or fewer pixels for each CSS px. */
function listenToRatio(view) {
  const change = () => {
    view.resize();
    listenToRatio(view);
  };
  window.matchMedia(`(resolution: ${ratio()}dppx)`).addEventListener("change", change, { once: true });
}

/** What is saved from a canvas would be scrambled. */
function offerNoDrawings(view) {
  for (const name of [".save-view", ".save-all", ".keeping .tick"]) view.find(name).hidden = true;
  view.find(".keeping").append(make("p", { class: "hint" },
    "This browser scrambles what pages draw, so views cannot be saved; ↓ saves each picture as it is."));
}

/** The page's first link leads past everything else. */
function listenToSkipping(view) {
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    if (!view.element.offsetParent) document.querySelector("#tabs [role=tab]").click();
    setTimeout(() => view.currentPane.focus(), 100); // when its tab is shown
  });
}

function listenToFullScreen(view) {
  const { element } = view;
  const button = view.find(".whole-screen");
  const isFull = () => document.fullscreenElement === element;
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => {
    if (isFull()) document.exitFullscreen();
    else element.requestFullscreen().catch(() => view.say("This browser shows nothing on its full screen."));
  });
  document.addEventListener("fullscreenchange", () => {
    button.setAttribute("aria-pressed", isFull());
    view.resize();
  });
}
