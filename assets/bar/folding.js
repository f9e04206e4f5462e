// The rarer choices fold away, on a small screen the strength with them.

const narrow = window.matchMedia("(max-width: 1080px)");

export function foldAway(element) {
  const find = (selector) => element.querySelector(selector);
  const more = find(".more");
  const place = () => {
    if (narrow.matches) find(".choices").append(find(".mixing"));
    else find(".start").before(find(".mixing"));
    find("summary").textContent = narrow.matches ? "More" : "Networks";
  };
  narrow.addEventListener("change", place);
  place();
  document.addEventListener("pointerdown", (event) => {
    if (more.open && !more.contains(event.target)) more.open = false;
  });
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    more.open = false;
    find("summary").focus();
  });
}
