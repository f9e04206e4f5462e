// One picture, or two at the same place: behind a slider, in turns, or their difference.

const BLINK = 700; // ms for each picture: 0.7 blinks a second, far from any flicker hazard
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
let paused = still.matches;
let blinking = 0;

/** Have two pictures to choose from `names`; those that were chosen stay, if they are there. */
function offerPairs(names) {
  const [first, second] = [find(".first"), find(".second")];
  const wishes = [[first.value, "baseline", "original"], [second.value, names.at(-1)]];
  [first, second].forEach((select, index) => {
    const wish = wishes[index].find((name) => names.includes(name));
    select.replaceChildren(...names.map((name) => new Option(name, name)));
    if (wish) select.value = wish;
  });
  // A picture beside itself says nothing.
  if (first.value === second.value) {
    first.value = "original";
    if (second.value === "original") second.value = names.at(-1);
  }
  [first.dataset.before, second.dataset.before] = [first.value, second.value];
}

function choosePair(one, other) {
  const [first, second] = [find(".first"), find(".second")];
  [first.value, second.value] = [one, other];
  [first.dataset.before, second.dataset.before] = [one, other];
  describe();
  noteView();
  redraw();
}

const swap = () => choosePair(find(".second").value, find(".first").value);

/** One of the two is another; where that is what the other one shows, they change places. */
function choose(select, name) {
  const first = select.classList.contains("first");
  const other = find(first ? ".second" : ".first");
  const rest = other.value === name ? select.dataset.before : other.value;
  if (first) choosePair(name, rest);
  else choosePair(rest, name);
}

function setMode(mode) {
  state.mode = mode;
  element.dataset.mode = mode;
  state.cursor = null;
  const visible = {
    ".panes": ["grid"],
    ".single": ["one", "slider", "blink", "difference"],
    ".pair": ["one", "slider", "blink", "difference"],
    ".other": ["slider", "blink", "difference"],
    ".hold": ["one"],
    ".gain": ["difference"],
    ".calm": ["difference"],
    ".pause": ["blink"],
    ".divider": ["slider"],
  };
  for (const [selector, modes] of Object.entries(visible)) {
    find(selector).hidden = !modes.includes(mode);
  }
  clearInterval(blinking);
  if (mode === "blink") blinking = setInterval(() => paused || blink(), BLINK);
  layOut();
  lookAgain();
  describe();
  noteView();
}

function blink() {
  state.blinkShowsSecond = !state.blinkShowsSecond;
  describe();
  redraw();
}

let lastDifference = { key: null };
function currentDifference() {
  const [first, second] = chosen();
  const [gain, calm] = [2 ** find(".gain input").value, find(".calm input").checked];
  const key = [first.address, second.address, gain, calm].join(" ");
  if (lastDifference.key !== key) {
    lastDifference = { key, ...difference(first.picture, second.picture, gain, calm) };
  }
  return lastDifference;
}

/** Words for what the single pane shows, and for whom the buttons about spots are. */
function describe() {
  const [first, second] = [find(".first").value, find(".second").value];
  const [left, right] = [find(".tag.left"), find(".tag.right")];
  const missing = chosen().some((entry) => entry && !entry.picture);
  single.querySelector(".wait").textContent = missing ? (props.value?.waiting ?? "") : "";
  const gain = `×${2 ** find(".gain input").value}`;
  find(".gain output").textContent = gain;
  find(".gain input").setAttribute("aria-valuetext", gain);
  find(".pause").textContent = paused ? "Blink" : "Pause";
  right.textContent = state.mode === "slider" && !state.original ? second : "";
  left.textContent = state.mode === "blink" && state.blinkShowsSecond ? second : first;
  let words = `${first} and ${second}`;
  if (state.mode === "one") words = first;
  if (state.mode === "slider") words = `${first} left of the divider, ${second} right of it`;
  if (state.mode === "difference" && chosen().every((entry) => entry?.picture)) {
    const mean = currentDifference().mean.toFixed(1);
    const calm = find(".calm input").checked ? ", smoothed" : "";
    left.textContent = `|${first} − ${second}|${calm} ${gain} · mean difference ${mean} of 255`;
    words = left.textContent;
  }
  if (state.original) words = left.textContent = "original";
  single.querySelector("canvas").setAttribute("aria-label", words);
  setDivider(state.divider);
  describeSpots();
}

function setDivider(percent) {
  state.divider = Math.min(Math.max(percent, 0), 100);
  const divider = find(".divider");
  divider.style.left = `${state.divider}%`;
  divider.setAttribute("aria-valuenow", Math.round(state.divider));
  redraw();
}

/** The divider comes to where the pointer is. */
function dividerTo(event) {
  const box = single.querySelector(".pane").getBoundingClientRect();
  setDivider((100 * (event.clientX - box.left)) / box.width);
}

const divider = find(".divider");
divider.addEventListener("pointerdown", (event) => {
  divider.setPointerCapture(event.pointerId);
  event.stopPropagation();
});
divider.addEventListener("pointermove", (event) => {
  if (divider.hasPointerCapture(event.pointerId)) dividerTo(event);
});
divider.addEventListener("keydown", (event) => {
  const places = {
    ArrowLeft: state.divider - 2, ArrowDown: state.divider - 2,
    ArrowRight: state.divider + 2, ArrowUp: state.divider + 2,
    PageDown: state.divider - 10, PageUp: state.divider + 10, Home: 0, End: 100,
  };
  if (!(event.key in places)) return;
  setDivider(places[event.key]);
  event.preventDefault();
  event.stopPropagation();
});

find(".modes").addEventListener("change", (event) => setMode(event.target.value));
for (const select of element.querySelectorAll("select")) {
  select.addEventListener("change", () => choose(select, select.value));
}
for (const input of element.querySelectorAll(".gain input, .calm input")) {
  input.addEventListener("input", () => { describe(); redraw(); });
}
find(".pause").addEventListener("click", () => { paused = !paused; describe(); });

/** Show the original in place of everything, or no more. */
function showOriginal(shown) {
  if (state.original === shown) return;
  state.original = shown;
  describe();
  redraw();
}
find(".hold").addEventListener("pointerdown", () => showOriginal(true));
find(".hold").addEventListener("keydown", (event) => {
  if (event.key === " " || event.key === "Enter") showOriginal(true);
});
for (const name of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) {
  find(".hold").addEventListener(name, () => showOriginal(false));
}
