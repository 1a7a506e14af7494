// Everything the page says, in the first of the visitor's languages that it knows. What stands in
// index.html is the English text there, and missing here. {0}, {1} … are filled in by say().

const LANGUAGES = ["en", "de", "fr"];

export const language =
  navigator.languages.map((each) => each.slice(0, 2).toLowerCase()).find((each) => LANGUAGES.includes(each)) ?? "en";

const percent = (digits) =>
  new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format;
const [whole, tenths, hundredths] = [percent(0), percent(1), percent(2)];

// Rounded down, so that only certainty is called 100%.
export const wholeShare = (share) => whole(Math.floor(share * 100) / 100);
export const share = (share) => tenths(Math.floor(share * 1000) / 1000);
export const fineShare = hundredths;
export const list = (texts) => new Intl.ListFormat(language, { type: "disjunction" }).format(texts);

const en = {
  lineTitle: "Write a ZIP code",
  start: "Draw with a pen, a finger or a mouse: the answer comes while you draw.",
  startLine: "Five digits or fewer. The boxes are only a hint.",
  empty: "The sheet is empty: draw something first.",
  reading: "Reading …",
  sheetEmpty: "Sheet to draw on, empty",
  sheetPicture: "Sheet to draw on, with a picture",
  sheetOne: "Sheet to draw on, with 1 stroke",
  sheetMany: "Sheet to draw on, with {0} strokes",
  answer: "This is a {0}, {1} sure.",
  answer8: "This is an {0}, {1} sure.",
  unsure: "Not sure: {0}.",
  line: "This says {0}, {1} sure.",
  unsureLine: "Not sure: perhaps {0} ({1}).",
  nothing: "No digit was found.",
  corrected: "You say: {0}.",
  time: "Read in {0} ms.",
  again: "Next try in {0} s.",
  digitOf: "Digit {0}: {1}, {2} sure",
  thatWas: "That was a {0}",
  thatWas8: "That was an {0}",
  thanks: "Thank you. Kept, to train better readers.",
  taken: "Taken back.",
  noFeedback: "Corrections are not collected here.",
  manyFeedback: "That is enough for now, thank you.",
  failedFeedback: "The correction could not be sent. Try again later.",
  accuracy: "reads {0} of the test digits rightly (95% interval {1} to {2})",
  penDown: "Pen down at {0}, {1}",
  drawnTo: "to {0}, {1}",
  at: "{0}, {1}",
  stays: "Your drawing stays.",
  problems: {
    offline: "You are offline. Your drawing stays, and is read as soon as you are back.",
    unreachable: "The server cannot be reached.",
    gone: "The reader is not there at the moment.",
    busy: "The reader has too much to do.",
    slow: "The server takes too long.",
    broken: "The server gave no proper answer.",
    noDigit: "No digit could be made out. Draw a larger one.",
    allInk: "Nearly all of the sheet is ink. Clear it and draw the digit with lines.",
    tooMany: "These are too many digits to read at once. Write fewer.",
    tooLarge: "The picture is too large to send. Choose a smaller one, or clear the sheet.",
    badFile: "This file is no picture that the browser can open. Choose a PNG or a JPEG.",
    unreadable: "The server could not open the picture. Load this page again.",
  },
};

const de = {
  title: "Zeichnen Sie eine Ziffer",
  lineTitle: "Schreiben Sie eine Postleitzahl",
  lead: "Ein Netz, das Handschrift gelernt hat, liest mit.",
  what: "Was gezeichnet wird",
  digitMode: "Ziffer",
  lineMode: "Postleitzahl",
  hint: "0 bis 9, so groß Sie mögen",
  keys: "Mit der Tastatur: Pfeiltasten bewegen den Stift auf 28 × 28 Feldern, die Leertaste setzt ihn auf und hebt ihn ab, Eingabe liest, Entf leert das Blatt, Strg+Z nimmt zurück.",
  desk: "Ihre Zeichnung",
  tools: "Werkzeuge",
  undo: "Rückgängig",
  redo: "Wiederholen",
  width: "Strichbreite",
  fine: "Fein",
  medium: "Mittel",
  broad: "Breit",
  file: "Bild öffnen",
  clear: "Leeren",
  read: "Lesen",
  answerLabel: "Antwort",
  bars: "Wie wahrscheinlich jede Ziffer ist",
  seen: "Was das Netz sah",
  mattered: "Worauf es ankam",
  wrong: "Falsch gelesen? Tippen Sie an, was es war.",
  wrongLine: "Falsch gelesen? Es war",
  send: "Senden",
  consent: "Mit dem Tippen senden Sie Zeichnung und Berichtigung; sie werden aufbewahrt, um bessere Leser zu trainieren.",
  takeBack: "Zurücknehmen",
  release: "Gelesen von",
  how: "Wie es funktioniert",
  start: "Zeichnen Sie mit Stift, Finger oder Maus: Die Antwort kommt beim Zeichnen.",
  startLine: "Bis zu fünf Ziffern. Die Kästchen sind nur eine Hilfe.",
  empty: "Das Blatt ist leer: Zeichnen Sie zuerst etwas.",
  reading: "Liest …",
  sheetEmpty: "Zeichenblatt, leer",
  sheetPicture: "Zeichenblatt, mit einem Bild",
  sheetOne: "Zeichenblatt, mit 1 Strich",
  sheetMany: "Zeichenblatt, mit {0} Strichen",
  answer: "Das ist eine {0}, zu {1} sicher.",
  unsure: "Nicht sicher: {0}.",
  line: "Hier steht {0}, zu {1} sicher.",
  unsureLine: "Nicht sicher: vielleicht {0} ({1}).",
  nothing: "Keine Ziffer gefunden.",
  corrected: "Sie sagen: {0}.",
  time: "Gelesen in {0} ms.",
  again: "Nächster Versuch in {0} s.",
  digitOf: "Ziffer {0}: {1}, zu {2} sicher",
  thatWas: "Das war eine {0}",
  thanks: "Danke. Aufbewahrt, um bessere Leser zu trainieren.",
  taken: "Zurückgenommen.",
  noFeedback: "Berichtigungen werden hier nicht gesammelt.",
  manyFeedback: "Das reicht für den Moment, danke.",
  failedFeedback: "Die Berichtigung konnte nicht gesendet werden. Versuchen Sie es später.",
  accuracy: "liest {0} der Testziffern richtig (95-%-Bereich {1} bis {2})",
  penDown: "Stift aufgesetzt bei {0}, {1}",
  drawnTo: "bis {0}, {1}",
  at: "{0}, {1}",
  stays: "Ihre Zeichnung bleibt.",
  problems: {
    offline: "Sie sind offline. Ihre Zeichnung bleibt und wird gelesen, sobald Sie zurück sind.",
    unreachable: "Der Server ist nicht zu erreichen.",
    gone: "Der Leser ist gerade nicht da.",
    busy: "Der Leser hat zu viel zu tun.",
    slow: "Der Server braucht zu lange.",
    broken: "Der Server gab keine brauchbare Antwort.",
    noDigit: "Keine Ziffer zu erkennen. Zeichnen Sie eine größere.",
    allInk: "Fast das ganze Blatt ist Tinte. Leeren Sie es und zeichnen Sie die Ziffer mit Linien.",
    tooMany: "So viele Ziffern sind nicht auf einmal zu lesen. Schreiben Sie weniger.",
    tooLarge: "Das Bild ist zu groß zum Senden. Nehmen Sie ein kleineres, oder leeren Sie das Blatt.",
    badFile: "Diese Datei ist kein Bild, das der Browser öffnen kann. Nehmen Sie ein PNG oder JPEG.",
    unreadable: "Der Server konnte das Bild nicht öffnen. Laden Sie diese Seite neu.",
  },
};

const fr = {
  title: "Dessinez un chiffre",
  lineTitle: "Écrivez un code postal",
  lead: "Un réseau qui a appris l’écriture manuscrite le lit pendant que vous dessinez.",
  what: "Que dessiner",
  digitMode: "Chiffre",
  lineMode: "Code postal",
  hint: "de 0 à 9, aussi grand que vous voulez",
  keys: "Au clavier : les flèches déplacent le crayon sur 28 × 28 cases, Espace le pose et le lève, Entrée lit, Suppr efface la feuille, Ctrl+Z annule.",
  desk: "Votre dessin",
  tools: "Outils",
  undo: "Annuler",
  redo: "Rétablir",
  width: "Épaisseur du trait",
  fine: "Fin",
  medium: "Moyen",
  broad: "Large",
  file: "Ouvrir une image",
  clear: "Effacer",
  read: "Lire",
  answerLabel: "Réponse",
  bars: "Probabilité de chaque chiffre",
  seen: "Ce que le réseau a vu",
  mattered: "Ce qui a compté",
  wrong: "Mal lu ? Touchez ce que c’était.",
  wrongLine: "Mal lu ? C’était",
  send: "Envoyer",
  consent: "En touchant, vous envoyez le dessin et la correction ; ils sont conservés pour entraîner de meilleurs lecteurs.",
  takeBack: "Reprendre",
  release: "Lu par",
  how: "Comment ça marche",
  start: "Dessinez au stylet, au doigt ou à la souris : la réponse vient pendant que vous dessinez.",
  startLine: "Cinq chiffres au plus. Les cases ne sont qu’une aide.",
  empty: "La feuille est vide : dessinez d’abord quelque chose.",
  reading: "Lecture …",
  sheetEmpty: "Feuille de dessin, vide",
  sheetPicture: "Feuille de dessin, avec une image",
  sheetOne: "Feuille de dessin, avec 1 trait",
  sheetMany: "Feuille de dessin, avec {0} traits",
  answer: "C’est un {0}, sûr à {1}.",
  unsure: "Pas sûr : {0}.",
  line: "On lit {0}, sûr à {1}.",
  unsureLine: "Pas sûr : peut-être {0} ({1}).",
  nothing: "Aucun chiffre trouvé.",
  corrected: "Vous dites : {0}.",
  time: "Lu en {0} ms.",
  again: "Nouvel essai dans {0} s.",
  digitOf: "Chiffre {0} : {1}, sûr à {2}",
  thatWas: "C’était un {0}",
  thanks: "Merci. Conservé pour entraîner de meilleurs lecteurs.",
  taken: "Repris.",
  noFeedback: "Les corrections ne sont pas recueillies ici.",
  manyFeedback: "C’est assez pour l’instant, merci.",
  failedFeedback: "La correction n’a pas pu être envoyée. Essayez plus tard.",
  accuracy: "lit juste {0} des chiffres de test (intervalle à 95 % : {1} à {2})",
  penDown: "Crayon posé à {0}, {1}",
  drawnTo: "jusqu’à {0}, {1}",
  at: "{0}, {1}",
  stays: "Votre dessin reste.",
  problems: {
    offline: "Vous êtes hors ligne. Votre dessin reste, et sera lu dès votre retour.",
    unreachable: "Le serveur est injoignable.",
    gone: "Le lecteur n’est pas là pour le moment.",
    busy: "Le lecteur a trop à faire.",
    slow: "Le serveur met trop de temps.",
    broken: "Le serveur n’a pas donné de réponse utilisable.",
    noDigit: "Aucun chiffre reconnaissable. Dessinez-en un plus grand.",
    allInk: "Presque toute la feuille est encrée. Effacez-la et dessinez le chiffre avec des traits.",
    tooMany: "Trop de chiffres à lire d’un coup. Écrivez-en moins.",
    tooLarge: "L’image est trop grande. Choisissez-en une plus petite, ou effacez la feuille.",
    badFile: "Le navigateur ne peut pas ouvrir ce fichier. Choisissez un PNG ou un JPEG.",
    unreadable: "Le serveur n’a pas pu ouvrir l’image. Rechargez cette page.",
  },
};

export const texts = { en, de, fr };
export const words = texts[language];

// A language may have a form of its own for one digit: answer8.
export const sayDigit = (key, digit, ...values) => say(words[key + digit] ? key + digit : key, digit, ...values);

export function say(key, ...values) {
  return words[key].replace(/\{(\d)\}/g, (_, i) => values[i]);
}

// Puts the page's own texts into the visitor's language. In the HTML, data-word and data-label
// name the word for an element's text or label.
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = words[element.dataset.word] ?? element.textContent;
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    const label = words[element.dataset.label];
    if (!label) continue;
    if (element.title) element.title = label;
    if (element.ariaLabel) element.ariaLabel = label;
  }
}
