// The tool bar, and pictures as they arrive from the server.

const BLINK = 700; // ms for each picture: 0.7 blinks a second, far from any flicker hazard
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
let paused = still.matches;
let blinking = 0;

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text; // never as HTML: names come from outside
  return node;
}

/** How many pictures in a row: all of them fit the window without scrolling, where they can. */
function layOut() {
  const count = state.pictures.length;
  const tall = state.size && state.size[1] > 1.1 * state.size[0];
  let columns = window.innerWidth < 1000 ? 2 : window.innerWidth < 1800 ? 3 : count;
  if (tall) columns = window.innerWidth < 1000 ? 3 : count;
  if (count === 4 && columns === 3) columns = 2;
  columns = Math.max(1, Math.min(columns, count));
  const rows = Math.ceil(count / columns);
  const above = stage.getBoundingClientRect().top + window.scrollY;
  for (const [name, value] of [["columns", columns], ["rows", rows], ["above", `${above}px`]]) {
    element.style.setProperty(`--${name}`, value);
  }
}

/** A line about what is going on; the only one on the page. */
function say(words, error = false) {
  find(".words").textContent = error ? "" : words;
  find(".error").textContent = error ? words : "";
}

let countingDown = 0;
let asked = 0;

/** What is going on, with the time that is left from a second on. */
function report({ words, error, done, total, seconds_left: left }) {
  clearInterval(countingDown);
  clearTimeout(asked);
  const bar = find(".report progress");
  bar.hidden = find(".stop").hidden = !total;
  if (!total) {
    say(words, error);
    return;
  }
  bar.max = total;
  bar.value = done;
  const started = performance.now();
  const write = () => {
    const seconds = left - (performance.now() - started) / 1000;
    const time = left >= 1 ? `, about ${Math.max(1, Math.round(seconds))} s left` : "";
    say(`${words} ${done} of ${total}${time}`);
  };
  write();
  countingDown = setInterval(write, 500);
}

/** Show what the server sent: names, facts and pictures, those that are there. */
function receive() {
  if (!props.value) return;
  report(props.value.report);
  const { panes, photo } = props.value;
  const names = panes.map((pane) => pane.name).join();
  if (names !== state.pictures.map((entry) => entry.name).join()) build(panes);
  const addresses = panes.map((pane) => pane.picture?.url);
  forgetAllBut(addresses);
  panes.forEach((pane, index) => fill(state.pictures[index], pane, addresses[index]));
  if (!addresses[0]) state.size = null; // without its photo nothing is there yet
  if (addresses[0]) {
    const [name] = panes[0].facts;
    const detail = { photo, address: addresses[0], name };
    window.dispatchEvent(new CustomEvent("nst-shown", { detail }));
  }
  describe();
  redraw();
}

function build(panes) {
  panesBox.replaceChildren();
  find(".readout tbody").replaceChildren();
  state.pictures = panes.map(({ name }, index) => {
    const figure = make("figure");
    const pane = make("div", "pane");
    pane.tabIndex = index ? -1 : 0; // one stop for all of them, since they move together
    pane.setAttribute("role", "application");
    pane.setAttribute("aria-label", `All pictures, moved together; ${name}`);
    pane.setAttribute("aria-describedby", "viewer-keys");
    const canvas = make("canvas");
    const mark = make("div", "mark");
    const wait = make("p", "wait");
    canvas.setAttribute("role", "img");
    pane.append(canvas, mark, wait);
    const caption = make("figcaption");
    const facts = make("p", "facts");
    const save = make("a", "save");
    save.setAttribute("aria-label", `Download ${name} as PNG`);
    const time = make("span", "time");
    caption.append(make("h3", "", name), time, save, facts);
    figure.append(pane, caption);
    panesBox.append(figure);

    const row = make("tr");
    const head = make("th");
    head.scope = "row";
    const swatch = make("span", "swatch");
    head.append(swatch, name);
    const colour = make("td", "", "–");
    row.append(head, colour);
    find(".readout tbody").append(row);
    return { name, picture: null, canvas, mark, wait, facts, time, save, swatch, colour };
  });
  layOut();
  const last = panes.at(-1)?.name;
  for (const [select, wishes] of [
    [find(".first"), ["baseline", "original"]],
    [find(".second"), [last]],
  ]) {
    const wish = [select.value, ...wishes].find(named);
    select.replaceChildren(...panes.map(({ name }) => new Option(name, name)));
    if (wish) select.value = wish;
  }
  // A picture beside itself says nothing.
  if (find(".first").value === find(".second").value) {
    find(".first").value = "original";
    if (find(".second").value === "original") find(".second").value = last;
  }
}

function fill(entry, pane, address) {
  entry.facts.replaceChildren(...pane.facts.map((fact) => make("span", "", fact)));
  entry.time.textContent = pane.time;
  entry.canvas.setAttribute("aria-label", pane.alt);
  entry.wait.textContent = address ? "" : props.value.waiting;
  entry.save.hidden = !address;
  if (address) {
    entry.save.href = address;
    entry.save.download = pane.picture.orig_name;
  }
  if (entry.address === address) return;
  entry.address = address;
  entry.picture = null;
  if (address) {
    decode(address).then((picture) => arrived(entry, address, picture), () => failed(entry, address));
  }
}

function arrived(entry, address, picture) {
  if (entry.address !== address) return; // another has been asked for since
  entry.picture = picture;
  const size = [picture.bitmap.width, picture.bitmap.height];
  const same = state.size?.join() === size.join();
  state.size = size;
  element.style.setProperty("--shape", Math.min(Math.max(size[0] / size[1], 0.6), 2));
  layOut();
  if (!same || state.fitted) fit();
  describe();
  redraw();
}

function failed(entry, address) {
  decoded.delete(address); // so that it is asked for again
  if (entry.address !== address) return;
  entry.address = null;
  entry.wait.textContent = "could not be loaded";
}

function setMode(mode) {
  state.mode = mode;
  element.dataset.mode = mode;
  state.cursor = null;
  panesBox.hidden = !inGrid();
  single.hidden = inGrid();
  find(".pair").hidden = inGrid();
  find(".gain").hidden = mode !== "difference";
  find(".pause").hidden = mode !== "blink";
  find(".divider").hidden = mode !== "slider";
  clearInterval(blinking);
  if (mode === "blink") blinking = setInterval(() => paused || blink(), BLINK);
  if (state.fitted) fit();
  else look(state.x, state.y, null);
  describe();
}

function blink() {
  state.blinkShowsSecond = !state.blinkShowsSecond;
  describe();
  redraw();
}

/** Words for what the single pane shows. */
function describe() {
  const [first, second] = [find(".first").value, find(".second").value];
  const [left, right] = [find(".tag.left"), find(".tag.right")];
  const missing = chosen().some((entry) => entry && !entry.picture);
  single.querySelector(".wait").textContent = missing ? (props.value?.waiting ?? "") : "";
  const gain = `×${2 ** find(".gain input").value}`;
  find(".gain output").textContent = gain;
  find(".gain input").setAttribute("aria-valuetext", gain);
  find(".pause").textContent = paused ? "Blink" : "Pause";
  right.textContent = state.mode === "slider" ? second : "";
  left.textContent = state.mode === "blink" && state.blinkShowsSecond ? second : first;
  let words = `${first} and ${second}`;
  if (state.mode === "slider") words = `${first} left of the divider, ${second} right of it`;
  if (state.mode === "difference" && chosen().every((entry) => entry?.picture)) {
    const mean = currentDifference().mean.toFixed(1);
    left.textContent = `|${first} − ${second}| ${gain} · mean difference ${mean} of 255`;
    words = left.textContent;
  }
  single.querySelector("canvas").setAttribute("aria-label", words);
  setDivider(state.divider);
}

function setDivider(percent) {
  state.divider = Math.min(Math.max(percent, 0), 100);
  const divider = find(".divider");
  divider.style.left = `${state.divider}%`;
  divider.setAttribute("aria-valuenow", Math.round(state.divider));
  redraw();
}

find(".modes").addEventListener("change", (event) => setMode(event.target.value));
for (const select of element.querySelectorAll("select")) {
  select.addEventListener("change", () => { describe(); redraw(); });
}
find(".gain input").addEventListener("input", () => { describe(); redraw(); });
find(".pause").addEventListener("click", () => { paused = !paused; describe(); });
find(".in").addEventListener("click", () => stepZoom(1));
find(".out").addEventListener("click", () => stepZoom(-1));
find(".fit").addEventListener("click", fit);
find(".sheet").addEventListener("click", () => trigger("sheet"));
find(".stop").addEventListener("click", () => {
  say("Stopping after this network …");
  clearInterval(countingDown);
  trigger("stop");
});
window.addEventListener("nst-asked", () => {
  clearTimeout(asked);
  asked = setTimeout(() => say("Waiting for the server …"), 500);
});
window.addEventListener("nst-words", ({ detail }) => say(detail.words, detail.error));

const divider = find(".divider");
divider.addEventListener("pointerdown", (event) => {
  divider.setPointerCapture(event.pointerId);
  event.stopPropagation();
});
divider.addEventListener("pointermove", (event) => {
  if (!divider.hasPointerCapture(event.pointerId)) return;
  const box = single.querySelector(".pane").getBoundingClientRect();
  setDivider((100 * (event.clientX - box.left)) / box.width);
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

new ResizeObserver(() => {
  layOut();
  if (state.fitted) fit();
  else look(state.x, state.y, null);
}).observe(stage);
element.viewer = { state, region, look, paneSize }; // for tests, and for the curious
watch("value", receive);
setMode("grid");
receive();
