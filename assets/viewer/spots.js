// Where the lattice and the red spots are strongest; the server has measured them.

const CLOSE = 8; // screen pixels for each pixel, at which a lattice of 4 px is plain
let lookedAt = "baseline"; // the network whose places are sought
let turn = { key: "", index: -1 }; // which of its worst places is shown

/** The network that one is looking at. */
function lookedAtEntry() {
  const last = state.pictures.find((entry) => entry.name === lookedAt && entry.found);
  if (inGrid()) return last ?? state.pictures.find((entry) => entry.name !== "original" && entry.found);
  return [...chosen()].find((entry) => entry?.name !== "original" && entry?.found);
}

function lookAtNetwork(name) {
  if (name && name !== "original") lookedAt = name;
  describeSpots();
}

function describeSpots() {
  const entry = lookedAtEntry();
  for (const { name, figure } of state.pictures) {
    figure.classList.toggle("looked-at", inGrid() && name === entry?.name);
  }
  for (const button of element.querySelectorAll(".spots button")) {
    button.disabled = !entry;
  }
  find(".worst i").textContent = entry ? ` of ${entry.name}` : "";
}

function takeSpots(entry, found) {
  entry.found = found ?? null;
  if (entry.heatAddress === found?.heat) return;
  entry.heatAddress = found?.heat;
  entry.heat = null;
  if (!found) return;
  const picture = new Image();
  picture.src = found.heat;
  picture.decode().then(() => {
    if (entry.heatAddress !== found.heat) return;
    entry.heat = picture;
    redraw();
  }, () => {});
}

/** All pictures come to the network's strongest spots; again, to the next. */
function showWorst() {
  const entry = lookedAtEntry();
  if (!entry || !state.size) return;
  const { worst } = entry.found;
  const key = `${entry.name} ${entry.address}`;
  turn = { key, index: turn.key === key ? (turn.index + 1) % worst.length : 0 };
  show(worst[turn.index]);
  say(`Worst place ${turn.index + 1} of ${worst.length} of ${entry.name}: ${entry.found.score}.`);
}

function showYellowest() {
  const entry = lookedAtEntry();
  if (!entry || !state.size) return;
  show(entry.found.yellowest);
  say(`Where ${entry.name} is yellowest: ${entry.found.score}.`);
}

function show(place) {
  state.cursor = null;
  centreOn(place, CLOSE * Math.max(1, Math.round(ratio())));
}

find(".worst").addEventListener("click", showWorst);
find(".yellowest").addEventListener("click", showYellowest);
find(".heat").addEventListener("change", (event) => {
  state.heat = event.target.checked;
  say(state.heat ? "Tinted where detail repeats every 4 px: from 4 dB, where it is clear, to 16 dB." : "");
  noteView();
  redraw();
});
stage.addEventListener("click", (event) => lookAtNetwork(event.target.closest(".pane")?.dataset.name));
stage.addEventListener("focusin", (event) => lookAtNetwork(event.target.closest(".pane")?.dataset.name));
