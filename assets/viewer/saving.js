// What is looked at as a PNG, labelled; all pictures on one; a link to this view.

const MOST_PIXELS = 16e6; // of a picture that is saved: phones cannot make larger ones
const FONT = "ui-sans-serif, system-ui, sans-serif"; // whatever scripts this machine can write

const NOTHING = "There are no pictures yet that could be saved.";

/** Lay out cells of one size, each { source, lines }, over lines about all of them. */
function sheet(cells, [width, height], columns, lines) {
  const rows = Math.ceil(cells.length / columns);
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (columns * rows * width * height)));
  const cell = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const text = Math.min(Math.max(Math.round(cell[0] / 24), 13), 32);
  const [gap, line] = [text, Math.round(1.4 * text)];
  const column = Math.max(cell[0], 160);
  const row = cell[1] + gap / 2 + line * Math.max(...cells.map((one) => one.lines.length));
  const canvas = document.createElement("canvas");
  canvas.width = columns * (column + gap) + gap;
  canvas.height = Math.round(rows * (row + gap) + gap + lines.length * line);
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

const about = (entry) => [
  [entry.name, entry.time.textContent].filter(Boolean).join(" · "),
  [entry.score.textContent, ...[...entry.facts.children].map((fact) => fact.textContent)]
    .filter(Boolean).join(" · "),
];

/** Where one looks, in words. */
function whereabouts() {
  const [x, y] = [state.x, state.y].map((percent, axis) => Math.round((state.size[axis] * percent) / 100));
  return state.fitted
    ? `whole picture at ${shownZoom()}`
    : `around x ${x}, y ${y} at ${shownZoom()}`;
}

/** The panes as they stand on the screen, or the single one. */
function saveView() {
  if (!state.size) {
    say(NOTHING, true);
    return;
  }
  draw(); // now: nothing may be left over from before
  const lines = [props.value.caption, whereabouts()];
  if (inGrid()) {
    const cells = state.pictures.map((entry) => ({ source: entry.canvas, lines: about(entry) }));
    const columns = Number(element.style.getPropertyValue("--columns"));
    save(sheet(cells, paneSize(), columns, lines), "view");
    return;
  }
  const canvas = single.querySelector("canvas");
  const words = [canvas.getAttribute("aria-label"), ...chosen().map((entry) => about(entry).join(" · "))];
  if (state.mode === "one") words.pop();
  save(sheet([{ source: canvas, lines: words }], paneSize(), 1, lines), state.mode);
}

/** All pictures, whole, in as many columns as show them largest on a page of 16:10. */
function saveAll() {
  const entries = state.pictures.filter((entry) => entry.picture);
  if (!entries.length) {
    say(NOTHING, true);
    return;
  }
  const [width, height] = state.size;
  const merit = (columns) =>
    Math.min(1.6 / (columns * width), 1 / (Math.ceil(entries.length / columns) * height));
  const columns = entries.map((_, index) => index + 1)
    .reduce((best, count) => (merit(count) > merit(best) * 1.0001 ? count : best), 1);
  const cells = entries.map((entry) => ({ source: entry.picture.bitmap, lines: about(entry) }));
  save(sheet(cells, state.size, columns, [props.value.caption]), "comparison");
}

function save(canvas, kind) {
  canvas.toBlob((blob) => {
    if (!blob) {
      say("This picture is too large for this browser to save.", true);
      return;
    }
    const anchor = make("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = `${props.value.stem}-${kind}.png`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
  }, "image/png");
}

async function copyLink() {
  await new Promise((done) => setTimeout(done, 250)); // until the address is up to date
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link to this view has been copied.");
  } catch {
    say("The link to this view is in the address bar.");
  }
}

find(".save-view").addEventListener("click", saveView);
find(".save-all").addEventListener("click", saveAll);
find(".copy-link").addEventListener("click", copyLink);
