// Puts the page together: drawing → picture → answer.

import { AnswerView } from "./answer.js";
import { Drawing, toPicture } from "./drawing.js";
import { Failure, predict } from "./predict.js";
import { Sheet } from "./sheet.js";
import { words } from "./words.js";

const PAUSE = 40; // milliseconds after a stroke before it is read

const canvas = document.getElementById("sheet");
const drawing = new Drawing();
const answer = new AnswerView();
const sheet = new Sheet(canvas, drawing, { onStart: startStroke, onEnd: endStroke });

let pause = 0;
let request = new AbortController();
let failed = false;

document.getElementById("predict").addEventListener("click", read);
document.getElementById("clear").addEventListener("click", clear);
addEventListener("online", () => failed && read());

function startStroke() {
  stopReading();
  answer.outdate();
}

function endStroke() {
  describe();
  if (!drawing.empty) pause = setTimeout(read, PAUSE);
}

function clear() {
  stopReading();
  failed = false;
  drawing.clear();
  sheet.show();
  answer.reset();
  describe();
}

// Whatever is under way belongs to an older drawing, and its answer must not be shown.
function stopReading() {
  clearTimeout(pause);
  request.abort();
}

async function read() {
  stopReading();
  if (drawing.empty) {
    answer.hint(words.empty);
    return;
  }
  request = new AbortController();
  const { signal } = request;
  answer.wait();
  try {
    const found = await predict(await toPicture(drawing), signal);
    signal.throwIfAborted();
    failed = false;
    answer.show(found);
  } catch (error) {
    if (signal.aborted) return;
    failed = true;
    answer.fail(error instanceof Failure ? error.kind : "broken");
  }
}

function describe() {
  canvas.setAttribute("aria-label", words.sheet(drawing.strokes.length));
  document.body.classList.toggle("drawn", !drawing.empty);
}
