// The sheet on screen: turns what a mouse, pen or finger does into strokes, and shows them.

import { paint } from "./drawing.js";

export class Sheet {
  #canvas;
  #context;
  #drawing;
  #pointer = null; // id of the pointer that draws: a second finger draws nothing
  #frame = 0;

  // Tells `onStart` when a stroke begins and `onEnd` when it is drawn.
  constructor(canvas, drawing, { onStart, onEnd }) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#drawing = drawing;

    canvas.addEventListener("pointerdown", (event) => {
      if (this.#pointer !== null || event.button !== 0) return;
      event.preventDefault();
      this.#pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      onStart();
      drawing.begin(this.#place(event));
      this.show();
    });

    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.#pointer) return;
      drawing.extend(detail(event).map((each) => this.#place(each)));
      this.show();
    });

    // A stroke that the system breaks off (a call, a gesture) stays as far as it was drawn.
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => {
        if (event.pointerId !== this.#pointer) return;
        this.#pointer = null;
        onEnd();
      });
    }

    // Safari scrolls by touch events, whatever touch-action says, when a page is zoomed.
    canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });

    this.#watchSize();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
  }

  // Paints the drawing in the next frame.
  show() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const { width } = this.#canvas;
      this.#context.clearRect(0, 0, width, width);
      paint(this.#context, this.#drawing, width, getComputedStyle(this.#canvas).color);
    });
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  // Keeps as many pixels as the screen has for the canvas, so that lines are crisp.
  #watchSize() {
    const observer = new ResizeObserver(([entry]) => {
      const rough = entry.contentRect.width * devicePixelRatio;
      const exact = entry.devicePixelContentBoxSize?.[0].inlineSize;
      // A browser that plays another screen reports its own as the exact one.
      const width = Math.abs(exact - rough) <= 1 ? exact : Math.round(rough);
      if (width === 0 || width === this.#canvas.width) return;
      this.#canvas.width = this.#canvas.height = width;
      this.show();
    });
    try {
      observer.observe(this.#canvas, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(this.#canvas);
    }
  }
}

// All points since the last frame, not only the last one.
function detail(event) {
  const events = event.getCoalescedEvents?.() ?? [];
  return events.length ? events : [event];
}
