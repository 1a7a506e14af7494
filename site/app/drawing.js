// A drawing is data: strokes of points, x and y from 0 to 1 of the sheet's side. It can be painted
// at any size.

const PEN = 0.066; // width of a stroke as a share of the side; MNIST's pens come out as wide

export class Drawing {
  strokes = [];

  get empty() {
    return this.strokes.length === 0;
  }

  begin(point) {
    this.strokes.push([point]);
  }

  extend(points) {
    this.strokes.at(-1)?.push(...points); // none: the sheet was cleared under the pen
  }

  clear() {
    this.strokes = [];
  }
}

// Paints on a square of `side` pixels.
export function paint(context, drawing, side, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = PEN * side;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of drawing.strokes) {
    context.beginPath();
    if (stroke.length === 1) {
      context.arc(stroke[0].x * side, stroke[0].y * side, (PEN * side) / 2, 0, 2 * Math.PI);
      context.fill();
    } else {
      trace(context, stroke, side);
      context.stroke();
    }
  }
}

// A smooth curve: through the middles between points, bent towards the points.
function trace(context, stroke, side) {
  const first = stroke[0];
  const last = stroke.at(-1);
  context.moveTo(first.x * side, first.y * side);
  for (let i = 1; i < stroke.length - 1; i++) {
    const { x, y } = stroke[i];
    const next = stroke[i + 1];
    context.quadraticCurveTo(x * side, y * side, ((x + next.x) / 2) * side, ((y + next.y) / 2) * side);
  }
  context.lineTo(last.x * side, last.y * side);
}

// The picture that is sent: black on white, whatever the page's colours and the screen's pixels.
export function toPicture(drawing, side = 280) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "white";
  context.fillRect(0, 0, side, side);
  paint(context, drawing, side, "black");
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
  });
}
