// What is chosen: boxes with words, and small pictures, of which one is pressed.

import { make } from "../dom.js";

/** A checkbox or a radio button. */
export function choice(type, name, value, text, checked) {
  const input = make("input", { type, name, value });
  input.checked = checked;
  return make("label", {}, input, make("span", {}, text));
}

/** A photo's button; `key` is what the server knows the photo by. */
export function tile(key, name, alt, address, choose) {
  const button = make("button", { type: "button", title: name, "data-key": key, tabindex: -1 }, make("img", { src: address, alt }));
  button.addEventListener("click", choose);
  return button;
}

export function pressTile(strip, key) {
  for (const button of strip.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", button.dataset.key === key);
  }
}
