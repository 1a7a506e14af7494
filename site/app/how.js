// The road of the visitor's own digit: the drawing is the one of the first page, the pictures are
// those of the API's answer.

import { readDigit, version } from "./ask.js";
import { Drawing, toBlob, toDataURL } from "./drawing.js";
import { element } from "./glyphs.js";
import { howWords } from "./how-words.js";
import { KeyPen } from "./keys.js";
import "./offline.js";
import { Reading } from "./reading.js";
import { Seen } from "./seen.js";
import { Sheet } from "./sheet.js";
import { fineShare, language, list, say, sayDigit, share, translate, wholeShare, words } from "./words.js";

const PICTURES = ["crop", "fitted", "normalised"];

const byId = (id) => document.getElementById(id);

Object.assign(words, howWords[language]);
translate();
document.title = byId("title").textContent;
for (const picture of document.querySelectorAll("[data-alt]")) {
  picture.alt = words[picture.dataset.alt] ?? picture.alt;
}

const canvas = byId("sheet");
const drawing = new Drawing("digit");
const seen = new Seen();
const bars = Array.from({ length: 10 }, (_, digit) => {
  const value = element("span", "value");
  const row = element("li", "row", element("span", "name", digit), value, element("span", "bar"));
  byId("bars").append(row);
  return { row, value };
});

const reading = new Reading(ask, { wait() {}, show, fail });
const sheet = new Sheet(canvas, drawing, {
  start() {
    reading.stop();
    label();
  },
  move: () => reading.live(),
  end: changed,
});
const keyPen = new KeyPen(canvas, sheet, byId("mark"), (...said) => (byId("status").textContent = say(...said)));

byId("clear").addEventListener("click", clear);
canvas.addEventListener("keydown", ({ key }) => {
  if (key === "Delete" || key === "Backspace") clear();
  else if (key === "Enter") keyPen.lift();
});

version().then(
  ({ release: { name, accuracy, interval95 } }) => {
    byId("reader").textContent = `${name}: ${say("accuracy", ...[accuracy, ...interval95].map(fineShare))}`;
  },
  () => {}, // it is only told
);
changed();

function ask(signal) {
  return readDigit(toBlob(toDataURL(drawing)), "normalised,saliency,stages", signal);
}

function changed() {
  label();
  if (drawing.empty) forget();
  else reading.read();
}

function label() {
  document.body.classList.toggle("drawn", !drawing.empty);
  const { length } = drawing.strokes;
  const word = drawing.picture ? "sheetPicture" : (["sheetEmpty", "sheetOne"][length] ?? "sheetMany");
  canvas.ariaLabel = say(word, length);
}

function clear() {
  keyPen.lift();
  drawing.clear();
  sheet.show();
  changed();
}

function show(answer, _, live) {
  const { crop, fitted, filters = [] } = answer.stages ?? {};
  const { normalised, saliency } = answer;
  pictures({ crop, fitted, normalised });
  seen.show(normalised, saliency);
  byId("filters").replaceChildren(
    ...filters.map((address) => {
      const map = element("img");
      map.alt = "";
      map.src = address;
      return map;
    }),
  );
  byId("filters").closest("li").hidden = !filters.length; // a release may not tell them
  fill(answer.probabilities);
  const found = [answer, ...(answer.alternatives ?? [])];
  const candidates = found.map(({ digit, confidence }) => `${digit} (${wholeShare(confidence)})`);
  tell(answer.certain === false ? say("unsure", list(candidates)) : sayDigit("answer", answer.digit, share(answer.confidence)));
  if (!live) byId("status").textContent = byId("said").textContent;
}

function fail(kind, seconds) {
  forget();
  byId("problem").textContent = words.problems[kind] + (seconds ? ` ${words.stays}` : "");
}

// No digit, no road.
function forget() {
  if (drawing.empty) reading.reset();
  pictures({});
  seen.show();
  byId("filters").replaceChildren();
  byId("filters").closest("li").hidden = false;
  fill([]);
  tell(drawing.empty ? words.start : "");
}

function tell(said) {
  byId("said").textContent = said;
  byId("problem").textContent = "";
}

function pictures(addresses) {
  for (const id of PICTURES) {
    byId(id).hidden = !addresses[id];
    if (addresses[id]) byId(id).src = addresses[id];
  }
}

function fill(probabilities) {
  const most = Math.max(...probabilities);
  for (const [digit, { row, value }] of bars.entries()) {
    const probability = probabilities[digit] ?? 0;
    row.classList.toggle("most", probability === most);
    row.style.setProperty("--share", probability);
    value.textContent = wholeShare(probability);
    value.classList.toggle("nothing", probability < 0.005);
  }
}
