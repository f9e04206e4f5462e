// Small pictures to choose: the visitor's photos and the examples, one of which is pressed.

import { make } from "../dom.js";

/** A button; `key` is what the server knows the photo by. */
export function tile(key, name, alt, address, choose) {
  const button = make("button", { type: "button", title: name, "data-key": key }, make("img", { src: address, alt }));
  button.addEventListener("click", choose);
  return button;
}

export function pressTile(strip, key) {
  for (const button of strip.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", button.dataset.key === key);
  }
}
