// "That was a …": corrects an answer, sends it as feedback, and takes it back.

import { sendFeedback, undoFeedback } from "./ask.js";
import { element } from "./glyphs.js";
import { sayDigit, words } from "./words.js";

const FAILURES = { gone: "noFeedback", busy: "manyFeedback" };

export class Correction {
  off = false; // whether the server takes none
  #form = document.getElementById("correction");
  #right = document.getElementById("right");
  #told = document.getElementById("told");
  #back = document.getElementById("back");
  #asked = null; // {image, kind, said, release}: what can be corrected
  #kept = null; // {id, undo}
  #onRight;

  // onRight(text): what the visitor says it is; what the answer said, when that is taken back.
  constructor(onRight) {
    this.#onRight = onRight;
    for (let digit = 0; digit < 10; digit++) {
      const key = element("button", "key", digit);
      key.type = "button";
      key.ariaLabel = sayDigit("thatWas", digit);
      key.addEventListener("click", () => this.#send(String(digit)));
      document.getElementById("keys").append(key);
    }
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(this.#right.value);
    });
    this.#back.addEventListener("click", () => this.#takeBack());
  }

  // asked: as above, or null when there is nothing to correct.
  offer(asked) {
    this.#asked = asked;
    this.#kept = null;
    this.#form.hidden = this.off || !asked;
    this.#tell("");
    if (asked && document.activeElement !== this.#right) this.#right.value = asked.said;
  }

  // The drawing changes: what is on show can no longer be corrected.
  suspend() {
    this.#asked = null;
  }

  async #send(right) {
    const asked = this.#asked;
    if (!asked) return;
    const before = this.#kept;
    this.#kept = null;
    this.#onRight(right);
    try {
      if (before) await undoFeedback(before).catch(() => {}); // only the last word counts
      const kept = await sendFeedback({ ...asked, right });
      if (asked !== this.#asked) return;
      this.#kept = kept;
      this.#tell(words.thanks);
    } catch ({ kind }) {
      if (asked === this.#asked) this.#tell(words[FAILURES[kind] ?? "failedFeedback"]);
    }
  }

  async #takeBack() {
    const asked = this.#asked;
    try {
      await undoFeedback(this.#kept);
      if (asked !== this.#asked) return;
      this.#kept = null;
      this.#onRight(null);
      this.#tell(words.taken);
      this.#form.querySelector("button:not([hidden])")?.focus();
    } catch {
      if (asked === this.#asked) this.#tell(words.failedFeedback);
    }
  }

  #tell(text) {
    this.#told.textContent = text;
    this.#back.hidden = !this.#kept;
  }
}
