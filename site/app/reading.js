// When a drawing is read: live while it grows, at once when the pen is lifted or the button is
// pressed, and again by itself after a failure that may pass. Only the newest question counts:
// a new one aborts the old one.

import { Failure } from "./ask.js";

const PAUSE = 100; // milliseconds between live readings
const FIRST_RETRY = 2; // seconds; doubled after every failure
const LAST_RETRY = 30;
const PASSING = ["busy", "gone", "slow", "unreachable", "broken"]; // may work at the next try

export class Reading {
  #ask;
  #view;
  #request = new AbortController();
  #asking = false;
  #timer = 0; // until the next reading
  #told = null; // {kind, until}: the server wants no question before then (performance.now())
  #delay = FIRST_RETRY;
  #failed = false;

  // ask(signal): resolves to an answer.
  // view: {wait(), show(answer, milliseconds, live), fail(kind, seconds until the next try or 0)}.
  constructor(ask, view) {
    this.#ask = ask;
    this.#view = view;
    addEventListener("online", () => this.#failed && this.read());
  }

  // The drawing grows.
  live() {
    if (this.#failed) return; // the server has trouble enough
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      if (this.#asking) this.live();
      else this.read(true);
    }, PAUSE);
  }

  // Whatever is under way belongs to an older drawing, and its answer must not be shown.
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#request.abort();
    this.#asking = false;
  }

  // There is nothing to read any more.
  reset() {
    this.stop();
    this.#recovered();
  }

  async read(live = false) {
    this.stop();
    const wait = this.#told ? (this.#told.until - performance.now()) / 1000 : 0;
    if (wait > 0) {
      this.#again(this.#told.kind, wait);
      return;
    }
    const { signal } = (this.#request = new AbortController());
    const start = performance.now();
    this.#asking = true;
    if (!live) this.#view.wait();
    try {
      const answer = await this.#ask(signal);
      signal.throwIfAborted();
      this.#asking = false;
      this.#recovered();
      this.#view.show(answer, performance.now() - start, live);
    } catch (error) {
      if (signal.aborted) return;
      this.#asking = false;
      // Half a digit may well be none; what stays wrong shows when the pen is lifted.
      if (!live) this.#fail(error instanceof Failure ? error : new Failure("broken"));
    }
  }

  #recovered() {
    this.#failed = false;
    this.#told = null;
    this.#delay = FIRST_RETRY;
  }

  #fail({ kind, wait }) {
    this.#failed = kind === "offline" || PASSING.includes(kind);
    if (!PASSING.includes(kind)) {
      this.#view.fail(kind, 0);
      return;
    }
    if (wait !== undefined) this.#told = { kind, until: performance.now() + wait * 1000 };
    this.#again(kind, wait ?? this.#delay);
    this.#delay = Math.min(this.#delay * 2, LAST_RETRY);
  }

  #again(kind, seconds) {
    this.#view.fail(kind, seconds);
    this.#timer = setTimeout(() => this.read(), seconds * 1000 + 20);
  }
}
