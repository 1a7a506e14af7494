// Asks the API what a picture shows.

const PATIENCE = 10_000; // milliseconds until a request is given up

// Why there is no answer; `kind` is a key of words.js.
export class Failure extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const KINDS = {
  400: "unreadable",
  413: "tooLarge",
  415: "unreadable",
  422: "noDigit",
  429: "busy",
  502: "gone",
  503: "gone",
  504: "gone",
};

// Resolves to {digit, confidence, probabilities, release}; rejects with a Failure, or with the
// signal's reason when it is aborted.
export async function predict(picture, signal) {
  const patience = new AbortController();
  const giveUp = () => patience.abort();
  const timer = setTimeout(giveUp, PATIENCE);
  signal.addEventListener("abort", giveUp);
  try {
    const response = await fetch("api/predict", {
      method: "POST",
      headers: { "Content-Type": "image/png" },
      body: picture,
      signal: patience.signal,
    });
    if (!response.ok) throw new Failure(KINDS[response.status] ?? "broken");
    return checked(await response.json());
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    if (error instanceof SyntaxError) throw new Failure("broken");
    if (patience.signal.aborted) throw new Failure("slow");
    throw new Failure(navigator.onLine ? "unreachable" : "offline");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

function checked(answer) {
  if (answer?.probabilities?.length !== 10) throw new Failure("broken");
  return answer;
}
