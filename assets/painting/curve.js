// The losses over the steps, logarithmic, in a box of 100 × 100 that they fill.

/** Draw `points`, of each its step, content and style; the last of both stand beside their names. */
export function drawCurve(element, points) {
  const logs = points.flatMap(([, ...losses]) => losses.map(Math.log));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const [first, last] = [points[0]?.[0], points.at(-1)?.[0]];
  ["content", "style"].forEach((name, index) => {
    const places = points.map(([step, ...losses]) => {
      const x = (100 * (step - first)) / (last - first || 1);
      const y = (100 * (high - Math.log(losses[index]))) / (high - low || 1);
      return `${x.toFixed(2)} ${y.toFixed(2)}`;
    });
    element.querySelector(`path.${name}`).setAttribute("d", places.length ? `M ${places.join(" L ")}` : "");
    element.querySelector(`.facts .${name} b`).textContent = points.at(-1)?.[index + 1].toFixed(3) ?? "";
  });
}
