// The panes beside each other, their captions, and pictures as they arrive.

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text; // never as HTML: names come from outside
  return node;
}

const [NARROW, TINY] = [370, 150]; // CSS px, of a column

/** How many pictures in a row: all of them fit the window without scrolling, where they can. */
function layOut() {
  const count = state.pictures.length;
  const tall = state.size && state.size[1] > 1.1 * state.size[0];
  let columns = window.innerWidth < 1000 ? 2 : window.innerWidth < 1800 ? 3 : count;
  if (tall) columns = window.innerWidth < 1000 ? 3 : count;
  if (count === 4 && columns === 3) columns = 2;
  columns = Math.max(1, Math.min(columns, count));
  element.toggleAttribute("data-narrow", stage.clientWidth / columns < NARROW);
  element.toggleAttribute("data-tiny", stage.clientWidth / columns < TINY);
  const rows = Math.ceil(count / columns);
  const above = stage.getBoundingClientRect().top + (document.fullscreenElement ? 0 : window.scrollY);
  for (const [name, value] of [["columns", columns], ["rows", rows], ["above", `${above}px`]]) {
    element.style.setProperty(`--${name}`, value);
  }
}

function build(panes) {
  panesBox.replaceChildren();
  find(".readout tbody").replaceChildren();
  state.pictures = panes.map(({ name }, index) => {
    const figure = make("figure");
    const pane = make("div", "pane");
    pane.tabIndex = index ? -1 : 0; // one stop for all of them, since they move together
    pane.dataset.name = name;
    pane.setAttribute("role", "application");
    pane.setAttribute("aria-label", `All pictures, moved together; ${name}`);
    pane.setAttribute("aria-describedby", "viewer-keys");
    const canvas = make("canvas");
    const mark = make("div", "mark");
    const wait = make("p", "wait");
    canvas.setAttribute("role", "img");
    pane.append(canvas, mark, wait);
    const caption = make("figcaption");
    const [facts, time, score] = ["facts", "time", "score"].map((kind) => make("p", kind));
    score.title = "Grid of 4 px: 0 dB is noise, most photos have 0 to 4. Red spots: % of the yellow area. More in About.";
    const save = make("a", "save");
    save.setAttribute("aria-label", `Download ${name} as PNG`);
    caption.append(make("h3", "", name), time, score, save, facts);
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
    return {
      name, figure, canvas, mark, wait, facts, time, score, save, swatch, colour,
      address: null, picture: null, found: null, heat: null,
    };
  });
  layOut();
  offerPairs(panes.map(({ name }) => name));
}

function fill(entry, pane, address) {
  entry.facts.replaceChildren(...pane.facts.map((fact) => make("span", "", fact)));
  entry.time.textContent = pane.time;
  entry.score.textContent = pane.found?.score ?? "";
  entry.canvas.setAttribute("aria-label", pane.alt);
  entry.wait.textContent = address ? "" : props.value.waiting;
  entry.save.hidden = !address;
  if (address) {
    entry.save.href = address;
    entry.save.download = pane.picture.orig_name;
  }
  takeSpots(entry, pane.found);
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
  if (followLink()) return;
  if (!same || state.fitted) lookAgain();
  describe();
  redraw();
}

function failed(entry, address) {
  decoded.delete(address); // so that it is asked for again
  if (entry.address !== address) return;
  entry.address = null;
  entry.wait.textContent = "could not be loaded";
}

/** Look at what the address asks for, as soon as its photo is there; whether that was now. */
function followLink() {
  if (!linked) return false;
  const link = readAddress();
  const example = link.get("example");
  if (example !== null && example !== state.photo) return false; // the bar has asked for it
  const [x, y] = (link.get("at") ?? "").split(",").map(Number);
  const [mode, zoom] = [link.get("mode"), Number(link.get("zoom"))];
  const pair = (link.get("pair") ?? "").split(",");
  state.heat = find(".heat").checked = link.has("heat");
  linked = false;
  if (pair.every(named)) choosePair(...pair);
  const radio = [...element.querySelectorAll(".modes input")].find((input) => input.value === mode);
  if (radio) {
    radio.checked = true;
    setMode(mode);
  }
  if (zoom > 0 && Number.isFinite(x) && Number.isFinite(y)) look(x, y, zoom);
  else fit();
  describe();
  return true;
}
