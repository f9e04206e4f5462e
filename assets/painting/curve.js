// The losses over the steps, in a box of 100 × 100 whose top is the largest of them.

/** Draw `points`, of each its step, content and style; the last of both stand beside their names. */
export function drawCurve(element, points) {
  const top = Math.max(...points.flatMap(([, content, style]) => [content, style]));
  const [first, last] = [points[0]?.[0], points.at(-1)?.[0]];
  ["content", "style"].forEach((name, index) => {
    const places = points.map(([step, ...losses]) => {
      const x = (100 * (step - first)) / (last - first || 1);
      return `${x.toFixed(2)} ${(100 - (100 * losses[index]) / top).toFixed(2)}`;
    });
    element.querySelector(`path.${name}`).setAttribute("d", places.length ? `M ${places.join(" L ")}` : "");
    const value = points.at(-1)?.[index + 1];
    element.querySelector(`.${name} b`).textContent = value?.toFixed(3) ?? "";
  });
}
