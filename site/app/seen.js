// The 28 x 28 picture that the network saw, and which of its pixels mattered.

const SIDE = 28;
const HOT = [255, 122, 48];

export class Seen {
  #canvas = document.getElementById("seen");
  #context = this.#canvas.getContext("2d");
  #figure = this.#canvas.closest("figure");
  #latest = null;

  // normalised, saliency: data URLs of grey pictures; without the first, nothing is shown.
  async show(normalised, saliency) {
    const mine = (this.#latest = Symbol());
    if (!normalised) {
      this.#figure.dataset.empty = "";
      return;
    }
    const [seen, mattered] = await Promise.all([normalised, saliency].map(pixels));
    if (mine !== this.#latest) return; // a newer one was faster
    const picture = new ImageData(SIDE, SIDE);
    for (let i = 0; i < picture.data.length; i += 4) {
      const heat = mattered ? mattered[i] / 255 : 0;
      for (let c = 0; c < 3; c++) picture.data[i + c] = seen[i + c] * (1 - heat) + HOT[c] * heat;
      picture.data[i + 3] = 255;
    }
    this.#context.putImageData(picture, 0, 0);
    delete this.#figure.dataset.empty;
  }
}

// Resolves to the RGBA values of a data URL's picture, or null without one.
async function pixels(address) {
  if (!address) return null;
  const image = new Image(SIDE, SIDE);
  image.src = address;
  await image.decode();
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d");
  context.drawImage(image, 0, 0, SIDE, SIDE);
  return context.getImageData(0, 0, SIDE, SIDE).data;
}
