// Shows an answer, that one is awaited, or why there is none.

import { element, glyph } from "./glyphs.js";
import { fitted } from "./sheet.js";
import { list, say, sayDigit, share, wholeShare, words } from "./words.js";

const SPINNER = 300; // milliseconds before waiting is shown: most answers are faster
const CANDIDATE = 0.01; // probability from which on a digit is one of several candidates

const byId = (id) => document.getElementById(id);

export class AnswerView {
  #root = byId("answer");
  #digit = byId("digit");
  #said = byId("said");
  #time = byId("time");
  #problem = byId("problem");
  #retry = byId("retry");
  #status = byId("status");
  #boxes = byId("boxes");
  #bars = [];
  #timer = 0; // until the spinner, or to the next second of a countdown
  #seen;
  #line = null; // the line on show, and which of its digits is looked at

  // seen: a Seen, see seen.js.
  constructor(seen) {
    this.#seen = seen;
    for (let digit = 0; digit < 10; digit++) {
      const value = element("span", "value");
      const row = element("li", "row", element("span", "name", digit), value, element("span", "bar"));
      byId("bars").append(row);
      this.#bars.push({ row, value });
    }
  }

  // No answer, but a word about what to do.
  hint(text, aloud = true) {
    this.#become("none", text, aloud);
    this.#empty();
  }

  wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#become("waiting", words.reading), SPINNER);
  }

  // kind: a key of words.problems. seconds: until the next try, 0 if there is none.
  fail(kind, seconds) {
    this.#become("failed", "", false);
    this.#empty();
    this.#problem.textContent = words.problems[kind] + (seconds ? ` ${words.stays}` : "");
    if (seconds) this.#countDown(Math.ceil(seconds));
  }

  // answer: of /predict. milliseconds: how long it took. live: the drawing is not finished.
  showDigit(answer, milliseconds, live) {
    const certain = answer.certain ?? true;
    const found = [answer, ...(certain ? [] : (answer.alternatives ?? []))].filter((each) => each.confidence >= CANDIDATE);
    const candidates = found.map(({ digit, confidence }) => `${digit} (${wholeShare(confidence)})`);
    const said = certain ? sayDigit("answer", answer.digit, share(answer.confidence)) : say("unsure", list(candidates));
    this.#show(said, certain, milliseconds, live);
    this.#write(String(answer.digit), [sign(answer.digit), ...found.slice(1).map(({ digit }) => sign(digit, "other"))]);
    this.#fill(answer.probabilities);
    this.#seen.show(answer.normalised, answer.saliency);
  }

  // answer: of /read. drawing: the Drawing that was read. size: of the picture that was sent.
  showLine(answer, milliseconds, live, drawing, size) {
    const certain = answer.certain ?? true;
    const values = [answer.text, share(answer.confidence)];
    this.#show(answer.text ? say(certain ? "line" : "unsureLine", ...values) : words.nothing, certain, milliseconds, live);
    const signs = answer.digits.map((each, i) => {
      const button = element("button", `sign ${each.certain === false ? "unsure" : ""}`, glyph(each.digit));
      button.type = "button";
      button.ariaLabel = say("digitOf", i + 1, each.digit, wholeShare(each.confidence));
      button.addEventListener("click", () => this.#look(i));
      return button;
    });
    this.#write(answer.text, signs);
    this.#boxes.replaceChildren(...answer.digits.map((each) => boxOf(each, drawing, size)));
    this.#line = { digits: answer.digits, signs };
    // The one that is least certain is the most interesting one.
    const doubts = answer.digits.map((each) => each.confidence);
    this.#look(doubts.indexOf(Math.min(...doubts)));
  }

  // The visitor knows better.
  correct(text) {
    this.#say(say("corrected", text));
    this.#root.dataset.certain = true;
    this.#write(text, [...text].map((digit) => sign(digit)));
  }

  say(text) {
    this.#status.textContent = text;
  }

  #show(said, certain, milliseconds, live) {
    this.#become("known", said, !live);
    this.#root.dataset.certain = certain;
    this.#time.textContent = say("time", Math.max(1, Math.round(milliseconds)));
  }

  // What is written already is not written again, stroke by stroke.
  #write(text, signs) {
    this.#digit.classList.toggle("again", text === this.#digit.textContent);
    this.#digit.replaceChildren(element("span", "hidden", text), ...signs);
  }

  // Shows one digit of a line with its probabilities.
  #look(i) {
    const { digits, signs } = this.#line;
    for (const [place, sign] of signs.entries()) sign.ariaPressed = place === i;
    for (const [place, box] of [...this.#boxes.children].entries()) box.classList.toggle("looked", place === i);
    this.#fill(digits[i]?.probabilities ?? []);
    this.#seen.show(digits[i]?.normalised);
  }

  #countDown(seconds) {
    this.#retry.textContent = say("again", seconds);
    if (seconds > 1) this.#timer = setTimeout(() => this.#countDown(seconds - 1), 1000);
  }

  #empty() {
    this.#digit.replaceChildren();
    this.#boxes.replaceChildren();
    this.#fill([]);
    this.#seen.show();
  }

  #become(state, said, aloud = true) {
    clearTimeout(this.#timer);
    this.#root.dataset.state = state;
    this.#problem.textContent = this.#retry.textContent = "";
    this.#say(said, aloud);
  }

  #say(said, aloud = true) {
    this.#said.textContent = said;
    if (aloud) this.#status.textContent = said;
  }

  #fill(probabilities) {
    const most = Math.max(...probabilities);
    this.#bars.forEach(({ row, value }, digit) => {
      const probability = probabilities[digit] ?? 0;
      row.classList.toggle("most", probability === most);
      row.style.setProperty("--share", probability);
      value.textContent = wholeShare(probability);
      value.classList.toggle("nothing", probability < 0.005);
    });
  }
}

const sign = (digit, kind = "") => element("span", `sign ${kind}`, glyph(digit));

// The box around a digit of a line, with its confidence over it.
function boxOf({ digit, confidence, box }, drawing, size) {
  const place = drawing.picture ? fitted(drawing.picture, drawing.aspect) : { left: 0, top: 0, width: 1, height: 1 };
  const label = element("span", "", element("b", "", digit), ` ${wholeShare(confidence)}`);
  // At the sheet's upper edge the label is under the box.
  const shown = element("div", box.top < size.height * 0.12 ? "box low" : "box", label);
  const across = (x) => `${(place.left + (x / size.width) * place.width) * 100}%`;
  const along = (y) => `${(place.top + (y / size.height) * place.height) * 100}%`;
  shown.style.left = across(box.left);
  shown.style.top = along(box.top);
  shown.style.right = `calc(100% - ${across(box.right)})`;
  shown.style.bottom = `calc(100% - ${along(box.bottom)})`;
  return shown;
}
