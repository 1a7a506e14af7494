// Pictures that are chosen, dropped or pasted instead of drawn.

const MOST_PIXELS = 900_000; // the API takes a million
const MOST_BYTES = 700_000; // and a MiB; a data URL is a third longer than its bytes

// onPicture is called with {picture: data URL, width, height}, onFailure when a file is none.
export function takePictures({ input, target, onPicture, onFailure }) {
  const take = async (files) => {
    const file = [...(files ?? [])].find((each) => each.type.startsWith("image/")) ?? files?.[0];
    if (!file) return;
    try {
      onPicture(await shrunk(file));
    } catch {
      onFailure();
    }
  };
  input.addEventListener("change", async () => {
    await take(input.files);
    input.value = ""; // the same file may be chosen again
  });
  addEventListener("paste", (event) => {
    if (!event.target.matches?.("input")) take(event.clipboardData?.files);
  });
  const over = (event, is) => {
    event.preventDefault();
    target.classList.toggle("over", is);
  };
  addEventListener("dragover", (event) => over(event, true));
  addEventListener("dragleave", (event) => over(event, event.relatedTarget !== null));
  addEventListener("drop", (event) => {
    over(event, false);
    take(event.dataTransfer?.files);
  });
}

// Small enough to be sent, upright, and of a kind that the API reads.
async function shrunk(file) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (image.width * image.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(image.width * scale));
  canvas.height = Math.max(1, Math.floor(image.height * scale));
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  let picture = canvas.toDataURL("image/png");
  context.globalCompositeOperation = "destination-over"; // a JPEG has no transparency
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let quality = 0.9; picture.length > (MOST_BYTES * 4) / 3 && quality > 0.1; quality -= 0.2) {
    picture = canvas.toDataURL("image/jpeg", quality);
  }
  return { picture, width: canvas.width, height: canvas.height };
}
