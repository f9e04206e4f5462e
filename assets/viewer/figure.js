// Pictures with their captions on one white sheet, as it is saved.

import { makeCanvas } from "../dom.js";

const MOST_PIXELS = 16e6; // of a picture that is saved: phones cannot make larger ones
const FONT = "ui-sans-serif, system-ui, sans-serif"; // whatever scripts this machine can write
const [NARROWEST, NARROWEST_SHEET] = [160, 420]; // px, so that captions stay short

/**
 * Lay out cells of one size, each { source, lines }, the first line bold, over lines about all;
 * `times` as large as their size, where there is room for it.
 */
export function sheet(cells, [width, height], columns, lines, times) {
  const rows = Math.ceil(cells.length / columns);
  const room = Math.sqrt(MOST_PIXELS / (columns * rows * width * height));
  const scale = room < times ? Math.min(1, room) : times;
  const larger = Math.max(scale, 1);
  const cell = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const text = larger * Math.min(Math.max(Math.round(cell[0] / larger / 24), 13), 32);
  const [gap, line] = [text, larger * Math.round((1.4 * text) / larger)];
  const column = Math.max(cell[0], larger * NARROWEST, (larger * NARROWEST_SHEET) / columns - gap);
  const across = columns * (column + gap) + gap;
  const captions = cells.map(({ lines: about }) => wrapped(about, column, text));
  const below = wrapped(["", ...lines], across - 2 * gap, text);
  const row = cell[1] + gap / 2 + line * Math.max(...captions.map((caption) => caption.length));
  const canvas = makeCanvas([across, Math.round(rows * (row + gap) + gap + below.length * line)]);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const write = (written, left, top) => written.forEach(({ words, bold }, number) => {
    context.font = font(text, bold);
    context.fillStyle = bold ? "#1a1a1a" : "#595959"; // contrast on white 17:1 and 7:1
    context.fillText(words, left, top + text + number * line);
  });
  cells.forEach(({ source }, index) => {
    const left = Math.round(gap + (index % columns) * (column + gap));
    const top = Math.round(gap + Math.floor(index / columns) * (row + gap));
    context.imageSmoothingEnabled = source.width > cell[0];
    context.imageSmoothingQuality = "high";
    context.drawImage(source, left, top, ...cell);
    write(captions[index], left, top + cell[1] + gap / 2);
  });
  write(below, gap, canvas.height - gap / 2 - below.length * line);
  return canvas;
}

const font = (text, bold) => `${bold ? 600 : 400} ${Math.round(bold ? text : 0.85 * text)}px ${FONT}`;

/** Lines, the first one bold, in as many as there is room for: of words, or of parts of a long one. */
function wrapped(lines, room, text) {
  const context = makeCanvas([1, 1]).getContext("2d");
  const fits = (words) => context.measureText(words).width <= room;
  return lines.flatMap((words, number) => {
    const bold = number === 0;
    context.font = font(text, bold);
    const written = [""];
    for (const word of words.split(" ")) {
      const longer = `${written.at(-1)} ${word}`.trim();
      if (fits(longer)) written[written.length - 1] = longer;
      else {
        if (written.at(-1)) written.push("");
        for (const sign of word) {
          if (!fits(written.at(-1) + sign)) written.push("");
          written[written.length - 1] += sign;
        }
      }
    }
    return written.filter(Boolean).map((part) => ({ words: part, bold }));
  });
}
