// Outlines around where lattice or spots are, so that what they do to the picture stays to be seen.

const BLOCK = 32; // px, of one value; the last of a row goes on to the border
export const LEGENDS = {
  spots: "Outlined: red spots, by thin lines from 24 levels of 255, thicker ones from 40 and 64",
  grid: "Outlined: where detail repeats every 4 px, by thin lines from 4 dB, thicker ones from 8 and 12 dB",
};

/**
 * Draw them. `rows` has a digit for each block: how many of the levels it reaches; `toPane` gives
 * the place of a picture's [x, y] on the canvas, and the thinnest line is so many of its pixels.
 */
export function outline(context, rows, [width, height], toPane, thickness) {
  const reaches = (row, column, level) => Number(rows[row]?.[column] ?? 0) >= level;
  const edge = (index, count, side) => (index < count ? index * BLOCK : side);
  const pathOf = (level) => {
    const path = new Path2D();
    const line = (...ends) => {
      const [from, to] = ends.map(([row, column]) =>
        toPane([edge(column, rows[0].length, width), edge(row, rows.length, height)]));
      path.moveTo(...from);
      path.lineTo(...to);
    };
    for (let row = 0; row <= rows.length; row += 1) {
      for (let column = 0; column <= rows[0].length; column += 1) {
        const inside = reaches(row, column, level);
        if (inside !== reaches(row, column - 1, level)) line([row, column], [row + 1, column]);
        if (inside !== reaches(row - 1, column, level)) line([row, column], [row, column + 1]);
      }
    }
    return path;
  };
  const paths = [1, 2, 3].map(pathOf);
  context.lineCap = "square";
  for (const [style, more] of [["#000", 1.5], ["#ff5cc8", 0]]) {
    context.strokeStyle = style;
    paths.forEach((path, index) => {
      context.lineWidth = (index + 1 + more) * thickness;
      context.stroke(path);
    });
  }
}
