// Drawing with the keyboard, on a grid of 28 cells in height: arrows move, the space bar puts the
// pen down and lifts it.

const CELLS = 28;
// Home, End and the page keys are the corners of a keypad.
const STEPS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-1, -1],
  PageUp: [1, -1],
  End: [-1, 1],
  PageDown: [1, 1],
};

export class KeyPen {
  #sheet;
  #mark;
  #say;
  #columns = CELLS;
  #cell = [9, 6];
  #down = false;

  // mark: the element that shows where the pen is. say(key, column, row): tells it.
  constructor(canvas, sheet, mark, say) {
    this.#sheet = sheet;
    this.#mark = mark;
    this.#say = say;
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("blur", () => this.lift());
    canvas.addEventListener("pointerdown", () => this.#show(false));
  }

  // aspect: the sheet's width / height.
  use(aspect) {
    this.lift();
    this.#columns = Math.round(CELLS * aspect);
    this.#cell = [9, 6];
    this.#show(false);
  }

  lift() {
    if (!this.#down) return;
    this.#down = false;
    this.#mark.classList.remove("down");
    this.#sheet.end();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) this.#move(step);
    else if (event.key === " ") this.#switch();
    else if (event.key === "Escape" && this.#down) this.#switch();
    else return;
    event.preventDefault();
  }

  #move(step) {
    const most = [this.#columns - 1, CELLS - 1];
    this.#cell = this.#cell.map((at, i) => Math.min(Math.max(at + step[i], 0), most[i]));
    if (this.#down) this.#sheet.extend([this.#point()]);
    this.#show(true);
    this.#say(this.#down ? "drawnTo" : "at", this.#cell[0] + 1, this.#cell[1] + 1);
  }

  #switch() {
    this.#show(true);
    if (this.#down) {
      this.lift();
      return;
    }
    this.#down = true;
    this.#mark.classList.add("down");
    this.#sheet.begin(this.#point());
    this.#say("penDown", this.#cell[0] + 1, this.#cell[1] + 1);
  }

  #point() {
    return this.#cell.map((at) => (at + 0.5) / CELLS);
  }

  #show(visible) {
    this.#mark.hidden = !visible;
    this.#mark.style.left = `${((this.#cell[0] + 0.5) / this.#columns) * 100}%`;
    this.#mark.style.top = `${((this.#cell[1] + 0.5) / CELLS) * 100}%`;
  }
}
