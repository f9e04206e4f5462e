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

  /** Whether somebody can see it: it lies in the tab that is shown. */
  get isOpen() {
    return this.element.getClientRects().length > 0;
  }

  /** Call `take` with each file that is chosen by a button. */
  letChoose(button, take) {
    const picker = this.find("input[type=file]");
    this.on(button, "click", () => picker.click());
    picker.addEventListener("change", () => {
      if (picker.files.length) take(picker.files[0]);
      picker.value = ""; // so that the same one can be chosen again
    });
  }

  /** Call `take` with what is dropped or pasted anywhere while this is open, see bar/photo.js. */
  takeDropped(take) {
    document.addEventListener("file", (event) => {
      if (!this.isOpen) return;
      event.preventDefault();
      take(event.detail);
    });
  }

  /** What is going on or what went wrong, in the line that is there for it. */
  say(words, error = false) {
    this.find(".words").textContent = error ? "" : words;
    this.find(".error").textContent = error ? words : "";
  }
}

/** Pixels of the screen for each CSS px. */
export const ratio = () => window.devicePixelRatio || 1;

export const makeCanvas = ([width, height]) => make("canvas", { width, height });
