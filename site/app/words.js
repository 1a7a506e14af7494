// Everything the page says.

const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

// Rounded down, so that only certainty is called 100%.
const share = (probability) => percent.format(Math.floor(probability * 1000) / 1000);
export const wholeShare = (probability) => percent.format(Math.floor(probability * 100) / 100);

export const words = {
  start: "Draw with a mouse, a pen or a finger.",
  empty: "The sheet is empty: draw a digit first.",
  reading: "Reading …",
  answer: ({ digit, confidence }) => `This is ${digit === 8 ? "an" : "a"} ${digit}, ${share(confidence)} sure.`,
  sheet: (strokes) =>
    strokes === 0
      ? "Sheet to draw on, empty"
      : `Sheet to draw on, with ${strokes} ${strokes === 1 ? "stroke" : "strokes"}`,
  problems: {
    offline: "You are offline. Your drawing stays, and is read as soon as you are back.",
    unreachable: "The server cannot be reached. Your drawing stays; press Predict to try again.",
    gone: "The reader is not there at the moment. Your drawing stays; press Predict to try again.",
    busy: "The reader has too much to do. Your drawing stays; press Predict in a moment.",
    slow: "The server takes too long. Your drawing stays; press Predict to try again.",
    noDigit: "No digit could be made out in this drawing. Draw a larger one.",
    tooLarge: "The drawing became too large to send. Clear the sheet and draw it again.",
    unreadable: "The server could not open the picture. Load this page again.",
    broken: "The server gave no proper answer. Your drawing stays; press Predict to try again.",
  },
};
