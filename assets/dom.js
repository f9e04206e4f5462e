// What all parts of the page need of the document.

/** A new element. Its children are nodes or text, never HTML: names come from outside. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** What is going on or what went wrong, in the line that an element has for it. */
export function say(element, words, error = false) {
  element.querySelector(".words").textContent = error ? "" : words;
  element.querySelector(".error").textContent = error ? words : "";
}

/** Pixels of the screen for each CSS px. */
export const ratio = () => window.devicePixelRatio || 1;

export const makeCanvas = ([width, height]) => make("canvas", { width, height });
