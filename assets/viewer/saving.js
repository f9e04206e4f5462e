// What is looked at as a PNG, labelled; all pictures on one; a link to this view.

import { make, makeCanvas } from "../dom.js";

const MOST_PIXELS = 16e6; // of a picture that is saved: phones cannot make larger ones
const FONT = "ui-sans-serif, system-ui, sans-serif"; // whatever scripts this machine can write

/** Lay out cells of one size, each { source, lines }, over lines about all of them. */
function sheet(cells, [width, height], columns, lines) {
  const rows = Math.ceil(cells.length / columns);
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (columns * rows * width * height)));
  const cell = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const text = Math.min(Math.max(Math.round(cell[0] / 24), 13), 32);
  const [gap, line] = [text, Math.round(1.4 * text)];
  const column = Math.max(cell[0], 160);
  const row = cell[1] + gap / 2 + line * Math.max(...cells.map((one) => one.lines.length));
  const canvas = makeCanvas([
    columns * (column + gap) + gap, Math.round(rows * (row + gap) + gap + lines.length * line)]);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const write = (words, left, top, room, bold) => {
    context.font = `${bold ? 600 : 400} ${Math.round(bold ? text : 0.85 * text)}px ${FONT}`;
    context.fillStyle = bold ? "#1a1a1a" : "#595959"; // contrast on white 17:1 and 7:1
    context.fillText(fitting(context, words, room), left, top + text);
  };
  cells.forEach(({ source, lines: about }, index) => {
    const left = gap + (index % columns) * (column + gap);
    const top = Math.round(gap + Math.floor(index / columns) * (row + gap));
    context.imageSmoothingEnabled = scale < 1;
    context.imageSmoothingQuality = "high";
    context.drawImage(source, left, top, ...cell);
    about.forEach((words, number) => write(
      words, left, top + cell[1] + gap / 2 + number * line, column, number === 0));
  });
  lines.forEach((words, number) => write(
    words, gap, canvas.height - gap / 2 - (lines.length - number) * line, canvas.width - 2 * gap));
  return canvas;
}

/** The words, or as many of their signs with "…" as there is room for. */
function fitting(context, words, room) {
  if (context.measureText(words).width <= room) return words;
  const signs = [...words];
  while (signs.length && context.measureText(`${signs.join("")}…`).width > room) signs.pop();
  return `${signs.join("").trimEnd()}…`;
}

const joined = (...parts) => parts.filter(Boolean).join(" · ");

const about = ({ name, time, score, facts }) => [
  joined(name, time.textContent),
  joined(score.textContent, ...[...facts.children].map((fact) => fact.textContent)),
];

/** Where one looks, in words. */
function whereabouts({ size, x, y, fitted, zoomInWords }) {
  const [across, down] = [x, y].map((percent, axis) => Math.round((size[axis] * percent) / 100));
  return fitted ? `whole picture at ${zoomInWords}` : `around x ${across}, y ${down} at ${zoomInWords}`;
}

/** The panes as they stand on the screen, or the single one. */
function viewSheet(view) {
  const { columns, entries, inGrid, mode, props, shown, single: { canvas }, viewport } = view;
  view.draw(); // now: nothing may be left over from before
  const lines = [props.value.caption, whereabouts(viewport)];
  if (inGrid) {
    const cells = entries.map((entry) => ({ source: entry.canvas, lines: about(entry) }));
    return sheet(cells, viewport.pane, columns, lines);
  }
  const words = [canvas.getAttribute("aria-label"), ...shown.map((entry) => about(entry).join(" · "))];
  return sheet([{ source: canvas, lines: words }], viewport.pane, 1, lines);
}

/** All pictures, whole, in as many columns as show them largest on a page of 16:10. */
function wholeSheet({ entries, props, viewport: { size } }) {
  const cells = entries.filter(({ picture }) => picture)
    .map((entry) => ({ source: entry.picture.bitmap, lines: about(entry) }));
  const merit = (columns) =>
    Math.min(1.6 / (columns * size[0]), 1 / (Math.ceil(cells.length / columns) * size[1]));
  const columns = cells.map((_, index) => index + 1)
    .reduce((best, count) => (merit(count) > merit(best) * 1.0001 ? count : best), 1);
  return sheet(cells, size, columns, [props.value.caption]);
}

async function save(view, makeSheet, kind) {
  if (!view.viewport.size || !view.entries.some(({ picture }) => picture)) {
    view.say("There are no pictures yet that could be saved.", true);
    return;
  }
  const blob = await new Promise((done) => makeSheet(view).toBlob(done, "image/png"));
  if (!blob) {
    view.say("This picture is too large for this browser to save.", true);
    return;
  }
  keep(blob, `${view.props.value.stem}-${kind}.png`);
}

async function copyLink(view) {
  await new Promise((done) => setTimeout(done, 250)); // until the address is up to date
  try {
    await navigator.clipboard.writeText(location.href);
    view.say("The link to this view has been copied.");
  } catch {
    view.say("The link to this view is in the address bar.");
  }
}

/** The picture that a browser holds, under a name. */
function keep(blob, name) {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

/** What is looked at as files: whole pictures, as they came. */
const files = ({ shown }) => shown.filter(({ picture }) => picture)
  .map(({ picture: { blob }, save: { download } }) => new File([blob], download, { type: "image/png" }));

async function share(view) {
  try {
    await navigator.share({ files: files(view) });
  } catch (error) {
    if (error.name !== "AbortError") view.say("This browser could not share the pictures.", true);
  }
}

export function listenToSaving(view) {
  view.find(".share").hidden = !navigator.canShare?.({ files: [new File([""], "a.png", { type: "image/png" })] });
  view.on(".share", "click", () => share(view));
  view.stage.addEventListener("click", (event) => {
    const entry = view.entries.find(({ save }) => save === event.target);
    if (!entry?.picture) return;
    event.preventDefault(); // what the page holds: the server's file may be gone by now
    keep(entry.picture.blob, entry.save.download);
  });
  view.on(".save-view", "click", () => save(view, viewSheet, view.inGrid ? "view" : view.mode));
  view.on(".save-all", "click", () => save(view, wholeSheet, "comparison"));
  view.on(".copy-link", "click", () => copyLink(view));
}
