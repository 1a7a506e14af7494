// The sheet on screen: turns what a mouse, pen or finger does into strokes, and shows them.

import { paintStroke } from "./drawing.js";

export class Sheet {
  width = 1; // of the pen: a factor
  #canvas;
  #context;
  #drawing;
  #heard;
  #pointer = null; // id of the pointer that draws: a second finger draws nothing
  #pressure = 1;
  #frame = 0;
  #painted = 0; // points of the last stroke that are on the canvas; -1: paint everything anew
  #picture = null; // {of: item, image}

  // heard: {start(), move(), end()} are called when a stroke begins, grows, and is drawn.
  constructor(canvas, drawing, heard) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#heard = heard;
    this.use(drawing);
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId === this.#pointer) this.extend(detail(event).map((each) => this.#place(each)));
    });
    // A stroke that the system breaks off (a call, a gesture) stays as far as it was drawn.
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => {
        if (event.pointerId !== this.#pointer) return;
        this.#pointer = null;
        this.end();
      });
    }
    // Safari scrolls by touch events, whatever touch-action says, when a page is zoomed.
    canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
    this.#watchSize();
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => this.show());
    }
  }

  use(drawing) {
    this.#drawing = drawing;
    this.#pointer = null;
    this.show();
  }

  begin(point) {
    this.#drawing.begin(point, this.width);
    this.#heard.start();
    this.show();
  }

  extend(points) {
    this.#drawing.extend(points);
    this.#paintSoon();
    this.#heard.move();
  }

  end() {
    this.#drawing.end();
    this.show();
    this.#heard.end();
  }

  // Paints everything in the next frame.
  show() {
    this.#painted = -1;
    this.#paintSoon();
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pressure = 1;
    this.begin(this.#place(event));
  }

  // Where an event is on the sheet; for a pen that feels it, with the pressure.
  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    const point = [(event.clientX - box.left) / box.height, (event.clientY - box.top) / box.height];
    if (event.pointerType !== "pen" || !event.pressure) return point;
    // Half the pressure is the pen's own width. A little slower than the hand, so that it is smooth.
    this.#pressure += (0.5 + event.pressure - this.#pressure) / 3;
    return [...point, this.#pressure];
  }

  #paintSoon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint() {
    const { width, height } = this.#canvas;
    const context = this.#context;
    const last = this.#drawing.items.at(-1);
    if (this.#painted < 0) {
      context.strokeStyle = context.fillStyle = getComputedStyle(this.#canvas).color;
      context.clearRect(0, 0, width, height);
      for (const item of this.#drawing.items) {
        if (item.points) paintStroke(context, item, height);
        else this.#paintPicture(item);
      }
    } else if (last?.points?.length > this.#painted) {
      // Only what is new: a long drawing must not become slow.
      paintStroke(context, last, height, Math.max(0, this.#painted - 1));
    }
    this.#painted = last?.points?.length ?? 0;
  }

  #paintPicture(item) {
    if (this.#picture?.of !== item) {
      const image = new Image();
      this.#picture = { of: item, image };
      image.onload = () => this.show();
      image.src = item.picture;
    }
    if (!this.#picture.image.complete) return;
    const { width, height } = this.#canvas;
    const place = fitted(item, this.#drawing.aspect);
    this.#context.drawImage(
      this.#picture.image,
      place.left * width,
      place.top * height,
      place.width * width,
      place.height * height,
    );
  }

  // Keeps as many pixels as the screen has for the canvas, so that lines are crisp.
  #watchSize() {
    const observer = new ResizeObserver(([entry]) => {
      const size = ["width", "height"].map((side, i) => {
        const rough = entry.contentRect[side] * devicePixelRatio;
        const exact = entry.devicePixelContentBoxSize?.[0][i ? "blockSize" : "inlineSize"];
        // A browser that plays another screen reports its own as the exact one.
        return Math.abs(exact - rough) <= 1 ? exact : Math.round(rough);
      });
      if (!size[0] || (size[0] === this.#canvas.width && size[1] === this.#canvas.height)) return;
      [this.#canvas.width, this.#canvas.height] = size;
      this.#paintNow();
    });
    try {
      observer.observe(this.#canvas, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(this.#canvas);
    }
  }

  // In the same frame: a canvas is empty after its size changed.
  #paintNow() {
    this.#painted = -1;
    this.#paint();
  }
}

// Where a picture lies on a sheet: as large as it fits, in the middle; shares of the sheet.
export function fitted(picture, aspect) {
  const shape = picture.width / picture.height / aspect;
  const [width, height] = shape > 1 ? [1, 1 / shape] : [shape, 1];
  return { left: (1 - width) / 2, top: (1 - height) / 2, width, height };
}

// All points since the last frame, not only the last one.
function detail(event) {
  const events = event.getCoalescedEvents?.() ?? [];
  return events.length ? events : [event];
}
