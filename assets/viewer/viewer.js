// What the server sends, what is going on, and the buttons that belong to no other file.

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
  if (photo !== state.photo) state.fitted = true; // the same one stays where it is
  state.photo = photo;
  const names = panes.map((pane) => pane.name).join();
  if (names !== state.pictures.map((entry) => entry.name).join()) build(panes);
  // Without the host, which Gradio does not know behind a proxy that does not tell.
  const addresses = panes.map(
    ({ picture }) => picture && new URL(picture.url, location.href).pathname);
  forgetAllBut(addresses);
  panes.forEach((pane, index) => fill(state.pictures[index], pane, addresses[index]));
  if (!addresses[0]) state.size = null; // without its photo nothing is there yet
  if (addresses[0]) {
    const [name] = panes[0].facts;
    const { number, report: { error } } = props.value;
    const detail = { photo, address: addresses[0], name, number, error };
    window.dispatchEvent(new CustomEvent("nst-shown", { detail }));
  }
  describe();
  redraw();
}

find(".in").addEventListener("click", () => stepZoom(1));
find(".out").addEventListener("click", () => stepZoom(-1));
find(".pixels").addEventListener("click", () => look(state.x, state.y, 1));
find(".fit").addEventListener("click", fit);
find(".whole-screen").hidden = !document.fullscreenEnabled;
find(".whole-screen").addEventListener("click", () => {
  if (document.fullscreenElement === element) document.exitFullscreen();
  else element.requestFullscreen().catch(() => say("This browser shows nothing on its full screen."));
});
document.addEventListener("fullscreenchange", () => {
  const full = document.fullscreenElement === element;
  find(".whole-screen").setAttribute("aria-pressed", full);
  layOut();
  lookAgain();
});
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

new ResizeObserver(() => {
  layOut();
  lookAgain();
}).observe(stage);
element.viewer = { state, region, look, paneSize }; // for tests, and for the curious
watch("value", receive);
setMode("grid");
receive();
