// What is looked at as a PNG, labelled; all pictures on one, or as they are; a link to this view.

import { writeNow } from "../address.js";
import { make } from "../dom.js";
import { sheet } from "./figure.js";
import { LEGENDS } from "./heat.js";
import { pixelsOnly, textsOf, withDescription } from "./png.js";
import { zip } from "./zip.js";

const joined = (...parts) => parts.filter(Boolean).join(" · ");

const about = ({ name, time, score, facts }) => [
  name,
  joined(
    time.textContent && `${time.textContent}, one run`,
    ...[...score.children, ...facts.children].map((part) => part.textContent)),
];

/** Where one looks, in words. */
function whereabouts({ centre: [x, y], fitted, zoomInWords }) {
  return fitted ? `whole picture at ${zoomInWords}` : `around x ${x}, y ${y} at ${zoomInWords}`;
}

/** The panes as they stand on the screen, or the single one, `times` as large. */
function viewSheet(view, drawing, times) {
  const { columns, entries, heat, inGrid, kind, mode, props, shown, single, viewport } = view;
  const lines = [props.value.caption, whereabouts(viewport), heat && mode !== "difference" && LEGENDS[kind]].filter(Boolean);
  if (inGrid) {
    const cells = entries.map((entry) => ({ source: drawing.copy(entry, times), lines: about(entry) }));
    return sheet(cells, viewport.pane, columns, lines, times);
  }
  const words = [single.canvas.getAttribute("aria-label"), ...shown.map((entry) => about(entry).join(" · "))];
  return sheet([{ source: drawing.copy(single, times), lines: words }], viewport.pane, 1, lines, times);
}

/** All pictures, whole, in as many columns as show them largest on a page of 16:10. */
function wholeSheet({ entries, props, viewport: { size } }, times) {
  const cells = entries.filter(({ picture }) => picture)
    .map((entry) => ({ source: entry.picture.bitmap, lines: about(entry) }));
  const merit = (columns) =>
    Math.min(1.6 / (columns * size[0]), 1 / (Math.ceil(cells.length / columns) * size[1]));
  const columns = cells.map((_, index) => index + 1)
    .reduce((best, count) => (merit(count) > merit(best) * 1.0001 ? count : best), 1);
  return sheet(cells, size, columns, [props.value.caption], times);
}

/** Save what `makeFile` promises, under a name that ends so. */
async function save(view, makeFile, end) {
  if (!view.viewport.size || !view.entries.some(({ picture }) => picture)) {
    view.say("There are no pictures yet that could be saved.", true);
    return;
  }
  const blob = await makeFile();
  if (blob) keep(blob, `${view.props.value.stem}-${end}`);
  else view.say("This picture is too large for this browser to save.", true);
}

/** A sheet as a file, which says how its pictures were made. */
async function asPng(view, canvas) {
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob || view.find(".bare").checked) return blob;
  const pictures = view.entries.map(({ picture }) => picture).filter(Boolean);
  const made = await Promise.all(pictures.map(async (picture) => (await textsOf(picture.blob)).join(", ")));
  return withDescription(blob, [view.props.value.caption, ...made].filter(Boolean).join("\n"));
}

async function copyLink(view) {
  writeNow();
  try {
    await navigator.clipboard.writeText(location.href);
    view.say("The link to this view has been copied.");
  } catch {
    view.say("The link to this view is in the address bar.");
  }
}

/** A file that the browser holds, under a name. */
export function keep(blob, name) {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

/** A whole picture as a file: as it came, or its pixels alone. */
async function fileOf(view, { picture: { blob }, save: { download } }) {
  const content = view.find(".bare").checked ? await pixelsOnly(blob) : blob;
  return new File([content], download, { type: "image/png" });
}

const files = (view, entries) =>
  Promise.all(entries.filter(({ picture }) => picture).map((entry) => fileOf(view, entry)));

async function share(view) {
  try {
    await navigator.share({ files: await files(view, view.shown) });
  } catch (error) {
    if (error.name !== "AbortError") view.say("This browser could not share the pictures.", true);
  }
}

export function listenToSaving(view, drawing) {
  const times = () => (view.find(".twice").checked ? 2 : 1);
  view.find(".share").hidden = !navigator.canShare?.({ files: [new File([""], "a.png", { type: "image/png" })] });
  view.on(".share", "click", () => share(view));
  view.stage.addEventListener("click", async (event) => {
    const entry = view.entries.find(({ save }) => save === event.target);
    if (!entry?.picture) return;
    event.preventDefault(); // what the page holds: the server's file may be gone by now
    keep(await fileOf(view, entry), entry.save.download);
  });
  view.on(".save-view", "click", () =>
    save(view, () => asPng(view, viewSheet(view, drawing, times())), `${view.inGrid ? "view" : view.mode}.png`));
  view.on(".save-all", "click", () => save(view, () => asPng(view, wholeSheet(view, times())), "comparison.png"));
  view.on(".save-files", "click", () => save(view, async () => zip(await files(view, view.entries)), "pictures.zip"));
  view.on(".copy-link", "click", () => copyLink(view));
}
