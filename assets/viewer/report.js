// The only line on the page about what is going on, with the time that is left.

export class Report {
  #countingDown = 0;
  #asked = 0;
  #waiting = ""; // what is said while the server has not begun
  #note = ""; // goes with what is said until the run is over

  constructor(view) {
    this.view = view;
  }

  /** The server has been asked; it mostly answers before anybody has to be told. */
  wait() {
    clearTimeout(this.#asked);
    this.#note = "";
    this.#waiting = "Waiting for the server …";
    this.#asked = setTimeout(() => {
      this.#asked = 0;
      this.#sayWaiting();
    }, 500);
  }

  note(words) {
    this.#note = words;
  }

  /** So many are before the visitor in the server's queue. */
  queue({ rank, seconds }) {
    if (!this.#waiting) return; // it has been stopped
    const place = rank ? `Waiting: ${rank} before you` : "Waiting: you are next";
    this.#waiting = seconds >= 1 ? `${place}, about ${Math.round(seconds)} s …` : `${place} …`;
    if (!this.#asked) this.#sayWaiting();
  }

  #sayWaiting() {
    this.view.find(".stop").hidden = false;
    this.view.say(this.#waiting);
  }

  /** Nothing more will come. */
  end(words) {
    this.show({ words, error: true, total: 0 });
  }

  stop() {
    if (this.#waiting) {
      this.show({ words: "Stopped.", total: 0 });
      return;
    }
    clearInterval(this.#countingDown);
    this.view.say("Stopping after this network …");
  }

  /** What the server says; the time from a second on. */
  show({ words, error, done, total, seconds_left: left }) {
    clearInterval(this.#countingDown);
    clearTimeout(this.#asked);
    this.#asked = 0;
    this.#waiting = "";
    const bar = this.view.find(".report progress");
    bar.hidden = this.view.find(".stop").hidden = !total;
    if (!total) {
      this.view.say(`${words} ${this.#note}`.trim(), error);
      this.#note = "";
      return;
    }
    Object.assign(bar, { max: total, value: done });
    const started = performance.now();
    const write = () => {
      const seconds = left - (performance.now() - started) / 1000;
      const time = left >= 1 ? `, about ${Math.max(1, Math.round(seconds))} s left` : "";
      this.view.say(`${words} ${done} of ${total}${time} ${this.#note}`.trim());
    };
    write();
    this.#countingDown = setInterval(write, 500);
  }
}
