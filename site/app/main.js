// Puts the page together: drawing → picture → answer → correction.

import { AnswerView } from "./answer.js";
import { readDigit, readLine, version } from "./ask.js";
import { Correction } from "./correction.js";
import { Drawing, toBlob, toDataURL } from "./drawing.js";
import { KeyPen } from "./keys.js";
import "./offline.js";
import { Reading } from "./reading.js";
import { Seen } from "./seen.js";
import { Sheet } from "./sheet.js";
import { takePictures } from "./upload.js";
import { fineShare, say, translate, words } from "./words.js";

const GUIDES = 5;
const HEIGHT = 280; // of the picture that is sent, in pixels

const byId = (id) => document.getElementById(id);
const canvas = byId("sheet");
const mattered = byId("mattered");
const title = byId("title").textContent;

translate();

const drawings = { digit: new Drawing("digit"), line: new Drawing("line") };
let drawing = drawings.digit;
let latest = null; // {answer, image} of the drawing as it is

const view = new AnswerView(new Seen());
const correction = new Correction((right) => (right === null ? show(latest, false) : view.correct(right)));
const reading = new Reading(ask, { wait: () => view.wait(), show, fail });
const sheet = new Sheet(canvas, drawing, {
  start() {
    reading.stop();
    correction.suspend();
    refresh();
  },
  move: () => reading.live(),
  end: changed,
});
const keyPen = new KeyPen(canvas, sheet, byId("mark"), (...said) => view.say(say(...said)));

async function ask(signal) {
  const image = toDataURL(drawing);
  const asked = { image, kind: drawing.kind, drawing };
  const answer =
    drawing.kind === "line"
      ? await readLine(toBlob(image), lengthHint(), signal)
      : await readDigit(toBlob(image), mattered.checked ? "normalised,saliency" : "normalised", signal);
  return { ...asked, answer };
}

function show(found, milliseconds, live = false) {
  const { answer, image, kind } = found;
  latest = found;
  byId("release").textContent = answer.release;
  if (kind === "line") {
    const { picture, aspect } = drawing;
    view.showLine(answer, milliseconds, live, drawing, picture ?? { width: HEIGHT * aspect, height: HEIGHT });
  } else {
    view.showDigit(answer, milliseconds, live);
  }
  if (!live) correction.offer({ image, kind, said: answer.text ?? String(answer.digit), release: answer.release });
}

function fail(kind, seconds) {
  correction.offer(null);
  view.fail(kind, seconds);
}

// How many digits are written: told only when each of the guide boxes holds the middle of a stroke.
// Somebody who writes fewer, or beside the boxes, must not be made to have written five.
function lengthHint() {
  if (drawing.picture) return 0;
  const boxes = drawing.strokes.map(({ points }) => {
    const across = points.map(([x]) => x);
    return Math.floor(((Math.min(...across) + Math.max(...across)) / 2 / drawing.aspect) * GUIDES);
  });
  return new Set(boxes).size === GUIDES ? GUIDES : 0;
}

// After every change of the drawing but that of a pen that is still down.
function changed() {
  refresh();
  if (!drawing.empty) reading.read();
  else rest();
}

// Nothing is drawn. aloud: say so.
function rest(text = drawing.kind === "line" ? words.startLine : words.start, aloud = false) {
  reading.reset();
  correction.offer(null);
  view.hint(text, aloud);
}

// Buttons and labels, to what the drawing is.
function refresh() {
  const { length } = drawing.strokes;
  document.body.classList.toggle("drawn", !drawing.empty);
  const word = drawing.picture ? "sheetPicture" : ["sheetEmpty", "sheetOne"][length] ?? "sheetMany";
  canvas.ariaLabel = say(word, length);
  byId("undo").ariaDisabled = !drawing.canUndo;
  byId("redo").ariaDisabled = !drawing.canRedo;
}

function change(what, ...values) {
  drawing[what](...values);
  sheet.show();
  changed();
}

function read() {
  keyPen.lift();
  if (drawing.empty) rest(words.empty, true);
  else reading.read();
}

function use(kind) {
  keyPen.lift();
  reading.reset();
  drawing = drawings[kind];
  document.body.dataset.mode = kind;
  document.title = byId("title").textContent = kind === "line" ? words.lineTitle : (words.title ?? title);
  sheet.use(drawing);
  keyPen.use(drawing.aspect);
  correction.offer(null);
  changed();
}

function remember(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Not allowed: then it is not remembered.
  }
}

function recall(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

// Radio buttons of one name: chosen as before a reload, and remembered.
function choice(name, onChoice) {
  for (const radio of document.querySelectorAll(`input[name="${name}"]`)) {
    const choose = () => {
      remember(name, radio.value);
      onChoice(radio.value);
    };
    radio.checked = recall(name) ? radio.value === recall(name) : radio.defaultChecked;
    radio.addEventListener("change", choose);
    if (radio.checked) choose();
  }
}

for (const name of ["undo", "redo", "clear"]) byId(name).addEventListener("click", () => change(name));
byId("predict").addEventListener("click", read);
mattered.addEventListener("change", () => !drawing.empty && reading.read());

choice("pen", (width) => (sheet.width = Number(width)));
choice("mode", use);

addEventListener("keydown", (event) => {
  const { key, target } = event;
  const command = event.ctrlKey || event.metaKey;
  if (target.matches("input[type=text]")) return;
  if (command && key.toLowerCase() === "z") change(event.shiftKey ? "redo" : "undo");
  else if (command && key.toLowerCase() === "y") change("redo");
  else if (target === canvas && key === "Enter") read();
  else if (target === canvas && (key === "Delete" || key === "Backspace")) change("clear");
  else return;
  event.preventDefault();
});

takePictures({
  input: byId("file"),
  target: byId("paper"),
  onPicture: (picture) => change("place", picture),
  onFailure: () => view.fail("badFile", 0),
});

version().then(
  ({ feedback, release }) => {
    correction.off = feedback === false;
    byId("release").textContent = release.name;
    byId("accuracy").textContent = `, ${say("accuracy", ...[release.accuracy, ...release.interval95].map(fineShare))}`;
  },
  () => {}, // the name comes with the first answer, too
);
