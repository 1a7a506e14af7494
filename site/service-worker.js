// Keeps a copy of the page, so that it opens without a network. With one, everything comes from
// the server, as if this were not here; answers of the API are never kept.
//
// A copy is whole or it is none: all files of one deployment, told by their ETags, which are made of
// their content. A page that was opened from the copy takes all of its files from the copy, too, so
// that files of two deployments never meet.

const FILES = [
  "./",
  "app/answer.js",
  "app/ask.js",
  "app/correction.js",
  "app/drawing.js",
  "app/glyphs.js",
  "app/how-words.js",
  "app/how.js",
  "app/keys.js",
  "app/main.js",
  "app/offline.js",
  "app/reading.js",
  "app/seen.js",
  "app/sheet.js",
  "app/upload.js",
  "app/words.js",
  "favicon.svg",
  "how.css",
  "how.html",
  "icon-192.png",
  "icon-512.png",
  "manifest.webmanifest",
  "style.css",
];
const API = new URL("api/", registration.scope).pathname;
const PREFIX = "page ";

const fromCopy = new Set(); // ids of the open pages that came from the copy

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(renew());
});

// A page was loaded over the network: there may be new files.
addEventListener("message", (event) => {
  if (event.data === "loaded") event.waitUntil(renew());
});

addEventListener("fetch", (event) => {
  const { request, clientId, resultingClientId } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || pathname.startsWith(API)) return;
  if (request.mode === "navigate") event.respondWith(open(request, resultingClientId));
  else if (fromCopy.has(clientId)) event.respondWith(copied(request).then((copy) => copy ?? fetch(request)));
});

async function open(request, client) {
  try {
    return await fetch(request);
  } catch (error) {
    const copy = await copied(request);
    if (!copy) throw error;
    fromCopy.add(client);
    return copy;
  }
}

// Resolves to the copy of a file, or undefined.
async function copied(request) {
  const name = await whole();
  const address = request.url.replace(/index\.html(?=$|[?#])/, "");
  return name && (await caches.open(name)).match(address, { ignoreSearch: true, ignoreVary: true });
}

// Resolves to the name of the copy that is complete, or undefined. "./" is put in last.
async function whole() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && (await (await caches.open(name)).match("./", { ignoreVary: true }))) return name;
  }
}

let renewing = null; // only one at a time

function renew() {
  renewing ??= copyAll().finally(() => (renewing = null));
  return renewing;
}

// Takes a new copy if anything has changed since the last one.
async function copyAll() {
  try {
    const tags = await ask("HEAD", "no-store").then((answers) => answers.map(tag));
    const name = PREFIX + tags.join(" ");
    if (name === (await whole())) return;
    const answers = await ask("GET", "no-cache");
    // Deployed in between: the next page that is loaded tries again.
    if (answers.some((answer, i) => tag(answer) !== tags[i])) return;
    await caches.delete(name);
    const copy = await caches.open(name);
    await Promise.all(answers.slice(1).map((answer, i) => copy.put(FILES[i + 1], answer)));
    await copy.put(FILES[0], answers[0]);
    const others = (await caches.keys()).filter((other) => other.startsWith(PREFIX) && other !== name);
    await Promise.all(others.map((other) => caches.delete(other)));
  } catch {
    // No network, or not all of the files: the last copy stays.
  }
}

function ask(method, cache) {
  return Promise.all(
    FILES.map(async (file) => {
      const answer = await fetch(file, { method, cache });
      if (!answer.ok || !answer.headers.get("ETag")) throw new Error(file);
      return answer;
    }),
  );
}

function tag(answer) {
  return answer.headers.get("ETag");
}
