// Controls that are one stop of the Tab key together, with arrow keys between them.

const CONTROLS = "button, input, select";

/** The first one has to be there always. */
export function asToolbar(group) {
  const stopAt = (control) =>
    group.querySelectorAll(CONTROLS).forEach((one) => (one.tabIndex = one === control ? 0 : -1));
  stopAt(group.querySelector(CONTROLS));
  group.addEventListener("focusin", ({ target }) => stopAt(target));
  group.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const there = [...group.querySelectorAll(CONTROLS)].filter((one) => !one.disabled && one.offsetParent);
    there.at((there.indexOf(event.target) + step) % there.length).focus();
    event.preventDefault();
  });
}
