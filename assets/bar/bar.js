// The controls. What is set is asked for at once, but for large pictures.

const find = (selector) => element.querySelector(selector);
const box = find(".bar");
const first = props.value; // what the server has painted already
const wishes = { ...first, ...wishesOf(readAddress()) };
const picker = find("input[type=file]");

/** What the address asks for, as far as there is such a thing. */
function wishesOf(address) {
  const among = (values, value) => (values.includes(value) ? value : undefined);
  const networks = address.get("networks")?.split(",") ?? [];
  const found = {
    example: among(props.examples.map(([name]) => name), address.get("example")),
    side: among(props.sides.map(([, side]) => side), Number(address.get("size"))),
    networks: props.networks.filter((name) => networks.includes(name)),
    engine: among(props.engines.map(([, name]) => name), address.get("engine")),
    strength: address.has("strength") ? Math.min(Math.max(Number(address.get("strength")) || 0, 0), 100) : undefined,
    keep_colours: address.has("colours") ? true : undefined,
  };
  if (!found.networks.length) delete found.networks;
  if (address.has("example") && !found.example) writeAddress({ example: null }, 0);
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** What is set, in the address; what is as at first is left out, and a photo of the visitor's. */
function noteWishes() {
  const changed = (name, value = wishes[name]) => (`${wishes[name]}` === `${first[name]}` ? null : value);
  writeAddress({
    example: wishes.photo ? null : changed("example"),
    size: changed("side"),
    networks: changed("networks", wishes.networks.join()),
    engine: changed("engine"),
    strength: changed("strength"),
    colours: changed("keep_colours", 1),
  });
}

/** Tell the viewer, which says everything that there is to say. */
const announce = (name, detail) => window.dispatchEvent(new CustomEvent(name, { detail }));

/** Have the pictures painted as it is set; `anew`: also those that are there. */
function ask(anew = false) {
  box.classList.remove("waits");
  find(".start").textContent = "Stylize";
  wishes.number += 1;
  wishes.anew = anew;
  props.value = { ...wishes };
  noteWishes();
  announce("nst-asked");
  trigger("run");
}

/** Something else is set: small pictures come at once, large ones when somebody says so. */
function changed() {
  if (wishes.side <= props.small_side) {
    ask();
    return;
  }
  box.classList.add("waits");
  find(".start").textContent = "Apply";
}

function mix() {
  props.value = { ...wishes };
  noteWishes();
  trigger("mix");
}

function choosePhoto(photo, example) {
  Object.assign(wishes, { photo, example });
  pressExample();
  changed();
}

function pressExample() {
  for (const button of element.querySelectorAll(".examples button")) {
    button.setAttribute("aria-pressed", button.dataset.name === wishes.example);
  }
}

let choices = 0; // of photos; a later one counts, however long an earlier one was on its way

async function take(file) {
  const choice = ++choices;
  showPhoto(null, file.name);
  announce("nst-words", { words: "Sending the photo …" });
  try {
    const sent = await send(file);
    if (choice === choices) choosePhoto(sent, null);
  } catch {
    if (choice !== choices) return;
    const words = "The photo could not be sent: it is too large, or the server does not answer.";
    announce("nst-words", { words, error: true });
    showPhoto(shown.address, shown.name);
  }
}

function showPhoto(address, name) {
  const picture = find(".photo img");
  if (address) picture.src = address;
  else picture.removeAttribute("src"); // a plain tile
  find(".photo").setAttribute("aria-label", `Your photo: choose one. Now: ${name}`);
}

function make(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text; // never as HTML
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function choice(type, name, value, text, checked) {
  const label = make("label");
  const input = make("input", undefined, { type, name, value });
  input.checked = checked;
  label.append(input, make("span", text));
  return label;
}

for (const [name, address] of props.examples) {
  const button = make("button", undefined, { type: "button", title: name });
  button.dataset.name = name;
  button.setAttribute("aria-pressed", name === wishes.example);
  button.append(make("img", undefined, { src: address, alt: `example: ${name}` }));
  button.addEventListener("click", () => {
    choices += 1;
    choosePhoto(null, name);
  });
  find(".examples").append(button);
}
showPhoto(Object.fromEntries(props.examples)[wishes.example], wishes.example);
for (const [text, side] of props.sides) find(".size select").append(new Option(text, side));
for (const name of props.networks) {
  find(".networks").append(
    choice("checkbox", "bar-network", name, name, wishes.networks.includes(name)));
}
for (const [text, name] of props.engines) {
  find(".engines").append(choice("radio", "bar-engine", name, text, name === wishes.engine));
}
find(".size select").value = wishes.side;
find(".strength input").step = props.strength_step;
find(".strength input").value = wishes.strength;
find(".strength output").textContent = `${wishes.strength} %`;
find(".colours input").checked = wishes.keep_colours;

find(".photo").addEventListener("click", () => picker.click());
picker.addEventListener("change", () => {
  if (picker.files.length) take(picker.files[0]);
  picker.value = ""; // so that the same one can be chosen again
});
receiveFiles(take);

find(".size select").addEventListener("change", (event) => {
  wishes.side = Number(event.target.value);
  changed();
});
find(".networks").addEventListener("change", (event) => {
  const networks = [...element.querySelectorAll(".networks input:checked")].map((input) => input.value);
  if (!networks.length) {
    event.target.checked = true;
    announce("nst-words", { words: "At least one network is needed.", error: true });
    return;
  }
  wishes.networks = networks;
  changed();
});
find(".engines").addEventListener("change", (event) => {
  wishes.engine = event.target.value;
  changed();
});
find(".strength input").addEventListener("input", (event) => {
  wishes.strength = Number(event.target.value);
  find(".strength output").textContent = `${wishes.strength} %`;
  mix();
});
find(".colours input").addEventListener("change", (event) => {
  wishes.keep_colours = event.target.checked;
  mix();
});
find(".start").addEventListener("click", () => ask(!box.classList.contains("waits")));

// The rarer choices fold away, on a small screen the strength with them.
const more = find(".more");
const narrow = window.matchMedia("(max-width: 1080px)");
function foldAway() {
  const mixing = find(".mixing");
  if (narrow.matches) find(".choices").append(mixing);
  else find(".start").before(mixing);
  find("summary").textContent = narrow.matches ? "More" : "Networks";
}
narrow.addEventListener("change", foldAway);
foldAway();
document.addEventListener("pointerdown", (event) => {
  if (more.open && !more.contains(event.target)) more.open = false;
});
more.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  more.open = false;
  find("summary").focus();
});

// The photo as the server has read it: browsers do not show every format.  Where it has refused it,
// what is shown holds again.
let shown = { photo: first.photo, example: first.example };
window.addEventListener("nst-shown", ({ detail: { photo, address, name, number, error } }) => {
  if (photo === (wishes.photo?.path ?? wishes.example)) {
    shown = { photo: wishes.photo, example: wishes.example, address, name };
  } else if (error && number === wishes.number) {
    Object.assign(wishes, { photo: shown.photo, example: shown.example });
    props.value = { ...wishes };
    pressExample();
    noteWishes();
  } else return;
  showPhoto(address, name);
});

// A link to another view, opened or pasted.
window.addEventListener("hashchange", () => location.reload());
if (Object.keys(wishesOf(readAddress())).length) setTimeout(changed); // when all of the page listens
