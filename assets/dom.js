// What all parts of the page need of the document.

/** A new element. Its children are nodes or text, never HTML: names come from outside. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A component of the page: its element and what it finds there. */
export class Part {
  constructor(element) {
    this.element = element;
  }

  find = (selector) => this.element.querySelector(selector);

  on = (selector, event, react) => this.find(selector).addEventListener(event, react);

  /** What is going on or what went wrong, in the line that is there for it. */
  say(words, error = false) {
    this.find(".words").textContent = error ? "" : words;
    this.find(".error").textContent = error ? words : "";
  }
}

/** Pixels of the screen for each CSS px. */
export const ratio = () => window.devicePixelRatio || 1;

export const makeCanvas = ([width, height]) => make("canvas", { width, height });
