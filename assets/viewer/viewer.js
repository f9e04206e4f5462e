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

/** Show what the server sent: names, facts and pictures, those that are there. */
function receive() {
  const panes = props.value?.panes ?? [];
  const names = panes.map((pane) => pane.name).join();
  if (names !== state.pictures.map((entry) => entry.name).join()) build(panes);
  const addresses = panes.map((pane) => pane.picture?.url);
  forgetAllBut(addresses);
  panes.forEach((pane, index) => fill(state.pictures[index], pane, addresses[index]));
  if (!addresses[0]) state.size = null; // without its photo nothing is there yet
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
    const save = make("a", "save", "PNG");
    save.setAttribute("aria-label", `Download ${name} as PNG`);
    caption.append(make("h3", "", name), save, facts);
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
    return { name, picture: null, canvas, mark, wait, facts, save, swatch, colour };
  });
  element.dataset.cells = panes.length + 1;
  element.style.setProperty("--cells", panes.length + 1);
  const last = panes.at(-1)?.name;
  for (const [select, wishes] of [
    [find(".first"), ["baseline", "original"]],
    [find(".second"), ["v3", last]],
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
  element.toggleAttribute("data-tall", size[1] > 1.1 * size[0]);
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
  if (state.fitted) fit();
  else look(state.x, state.y, null);
}).observe(stage);
element.viewer = { state, region, look, paneSize }; // for tests, and for the curious
watch("value", receive);
setMode("grid");
receive();
