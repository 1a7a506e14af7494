// A drawing is data: strokes that can be painted at any size, undone, and kept over a reload.
//
// Unit is the sheet's height: y from 0 to 1, x from 0 to the sheet's aspect (width / height).
// items: what is on the sheet, either strokes {pen: width, points: [[x, y, pressure?], …]}
// or one picture that was put there {picture: data URL, width, height}.
// pressure is a factor of the width; without it, 1.

const FINEST = 0.003; // points closer to each other than that add nothing
const MOST_STEPS = 200; // that can be undone

export const SHEETS = {
  digit: { aspect: 1, pen: 0.066 }, // MNIST's pens come out as wide as this pen
  line: { aspect: 2.5, pen: 0.055 },
};

export class Drawing {
  items = [];
  #kind;
  #past = [];
  #future = [];
  #open = null; // the stroke that is being drawn

  // kind: a key of SHEETS. Restores what sessionStorage has of it.
  constructor(kind) {
    this.#kind = kind;
    this.#restore();
  }

  get kind() {
    return this.#kind;
  }

  get aspect() {
    return SHEETS[this.#kind].aspect;
  }

  get empty() {
    return this.items.length === 0;
  }

  // The picture that was put on the sheet, or undefined.
  get picture() {
    return this.items.find((item) => item.picture);
  }

  get strokes() {
    return this.items.filter((item) => item.points);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // Starts a stroke; on a picture, it starts a new drawing. width: a factor of the sheet's pen.
  begin(point, width = 1) {
    this.#open = { pen: round(SHEETS[this.#kind].pen * width), points: [point.map(round)] };
    this.#become([...this.strokes, this.#open]);
  }

  extend(points) {
    const known = this.#open?.points; // none: undone or cleared under the pen
    if (!known) return;
    for (const point of points) {
      const [x, y] = known.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) >= FINEST) known.push(point.map(round));
    }
  }

  end() {
    this.#open = null;
    this.#save();
  }

  // picture: {picture, width, height} as above. It takes the place of what was drawn.
  place(picture) {
    this.#become([picture]);
    this.#save();
  }

  clear() {
    if (!this.empty) this.#become([]);
    this.#open = null;
    this.#save();
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  #become(items) {
    this.#past = [...this.#past, this.items].slice(-MOST_STEPS);
    this.#future = [];
    this.items = items;
  }

  #step(from, to) {
    if (!from.length) return;
    to.push(this.items);
    this.items = from.pop();
    this.#open = null;
    this.#save();
  }

  // Every item is written once, every step as the numbers of its items.
  #save() {
    const pool = new Map();
    const number = (item) => pool.get(item) ?? pool.set(item, pool.size).get(item);
    const steps = [this.#past, [this.items], this.#future].map((list) => list.map((items) => items.map(number)));
    try {
      sessionStorage.removeItem(this.#kind);
      sessionStorage.setItem(this.#kind, JSON.stringify({ items: [...pool.keys()], steps }));
    } catch {
      // Full, or not allowed: then it does not outlive a reload.
    }
  }

  #restore() {
    try {
      const { items, steps } = JSON.parse(sessionStorage.getItem(this.#kind));
      const lists = steps.map((list) => list.map((numbers) => numbers.map((number) => items[number])));
      [this.#past, [this.items], this.#future] = lists;
    } catch {
      // Nothing there, or not allowed: a clean sheet.
    }
  }
}

const round = (number) => Math.round(number * 1e4) / 1e4;

// Paints a stroke on a sheet of `height` pixels; from: only from that point on.
export function paintStroke(context, { pen, points }, height, from = 0) {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = pen * height * (points[0][2] ?? 1);
  const [x, y, pressure] = points[0];
  if (points.length === 1) {
    context.beginPath();
    context.arc(x * height, y * height, context.lineWidth / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  // A smooth curve: through the middles between points, bent towards the points.
  const last = points.length - 1;
  context.beginPath();
  context.moveTo(...(from ? middle(points, from - 1, height) : [x * height, y * height]));
  for (let i = Math.max(1, from); i <= last; i++) {
    const point = points[i];
    const end = i < last ? middle(points, i, height) : [point[0] * height, point[1] * height];
    context.quadraticCurveTo(point[0] * height, point[1] * height, ...end);
    if (pressure === undefined) continue;
    context.lineWidth = pen * height * point[2]; // each part has its own
    context.stroke();
    context.beginPath();
    context.moveTo(...end);
  }
  if (pressure === undefined) context.stroke();
}

function middle(points, i, height) {
  return [((points[i][0] + points[i + 1][0]) / 2) * height, ((points[i][1] + points[i + 1][1]) / 2) * height];
}

// The picture that is sent, as a data URL: black on white, whatever the page's colours and the
// screen's pixels are, or the picture that was put on the sheet.
export function toDataURL(drawing, height = 280) {
  if (drawing.picture) return drawing.picture.picture;
  const canvas = document.createElement("canvas");
  canvas.height = height;
  canvas.width = height * drawing.aspect;
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, height);
  context.fillStyle = context.strokeStyle = "black";
  for (const stroke of drawing.strokes) paintStroke(context, stroke, height);
  // At once: toBlob waits for the browser to be idle.
  return canvas.toDataURL("image/png");
}

export function toBlob(dataURL) {
  const [head, data] = dataURL.split(",");
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5, head.indexOf(";")) });
}
