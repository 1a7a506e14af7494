// Shows an answer, that one is awaited, or why there is none.

import { wholeShare, words } from "./words.js";

const SPINNER = 300; // milliseconds before waiting is shown: most answers are faster

export class AnswerView {
  #root = document.getElementById("answer");
  #digit = document.getElementById("digit");
  #said = document.getElementById("said");
  #problem = document.getElementById("problem");
  #release = document.getElementById("release");
  #bars = [];
  #spinner = 0;

  constructor() {
    const list = document.getElementById("bars");
    for (let digit = 0; digit < 10; digit++) {
      const value = element("span", "value");
      const row = element("li", "row", element("span", "name", digit), value, element("span", "bar"));
      list.append(row);
      this.#bars.push({ row, value });
    }
    this.reset();
  }

  reset() {
    this.hint(words.start);
  }

  // What is on show belongs to an older drawing.
  outdate() {
    if (this.#root.dataset.state !== "none") this.#become("old", "");
  }

  wait() {
    clearTimeout(this.#spinner);
    this.#spinner = setTimeout(() => this.#become("waiting", words.reading), SPINNER);
  }

  show(answer) {
    this.#become("known", words.answer(answer));
    this.#digit.textContent = answer.digit;
    this.#release.textContent = answer.release;
    this.#fill(answer.probabilities);
  }

  hint(text) {
    this.#become("none", text);
    this.#empty();
  }

  fail(kind) {
    this.#become("failed", "");
    this.#empty();
    this.#problem.textContent = words.problems[kind];
  }

  #empty() {
    this.#digit.textContent = "";
    this.#fill(Array(10).fill(0));
  }

  #become(state, said) {
    clearTimeout(this.#spinner);
    this.#root.dataset.state = state;
    this.#said.textContent = said;
    this.#problem.textContent = "";
  }

  #fill(probabilities) {
    const most = Math.max(...probabilities);
    probabilities.forEach((probability, digit) => {
      const { row, value } = this.#bars[digit];
      row.classList.toggle("most", probability === most && most > 0);
      row.style.setProperty("--share", probability);
      value.textContent = wholeShare(probability);
      value.classList.toggle("nothing", probability < 0.005);
    });
  }
}

function element(name, className, ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}
