// The answer's digits, as a red pencil writes them: paths in a field of 60 x 100.

const PATHS = [
  "M31 6C15 6 8 28 8 50s7 44 22 44 22-22 22-44S46 6 31 6z",
  "M17 27 35 8v86",
  "M9 29C9 15 18 6 30 6s21 9 21 22c0 23-29 38-43 66h46",
  "M10 19C15 10 22 6 30 6c12 0 20 8 20 20S42 47 27 47c16 0 26 9 26 23S43 94 28 94c-11 0-18-5-22-14",
  "M37 6 6 65h48M41 42v52",
  "M49 8H17l-4 38c5-5 11-7 18-7 13 0 23 10 23 27S43 94 28 94c-10 0-17-5-21-13",
  "M44 7C22 18 9 40 9 65c0 18 8 29 21 29s22-11 22-26-9-25-21-25c-11 0-19 9-22 20",
  "M8 8h46C38 34 27 62 23 94",
  "M46 19C43 11 38 6 30 6c-11 0-18 8-18 18 0 24 41 20 41 47 0 14-9 23-23 23S7 85 7 71c0-25 39-26 39-52z",
  "M51 34c-2 12-10 21-22 21-13 0-21-10-21-24S17 6 30 6s21 12 21 30c0 26-8 46-26 58",
];
const SVG = "http://www.w3.org/2000/svg";

export function glyph(digit) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 60 100");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[digit]);
  path.setAttribute("pathLength", "1");
  svg.append(path);
  return svg;
}

export function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}
