// Talks to the API. Every failure is a Failure whose `kind` is a key of words.problems.

const PATIENCE = 10_000; // milliseconds until a request is given up

export class Failure extends Error {
  // wait: seconds until the server wants to be asked again; undefined if it did not say.
  constructor(kind, wait) {
    super(kind);
    this.kind = kind;
    this.wait = wait;
  }
}

const KINDS = {
  400: "unreadable",
  408: "slow",
  413: "tooLarge",
  415: "unreadable",
  422: "noDigit",
  429: "busy",
  502: "gone",
  503: "gone",
  504: "gone",
};
const REASONS = { "all-ink": "allInk", "too-many-digits": "tooMany" };

// Resolves to what /predict says of a picture (a Blob). signal: aborts it, and then it rejects
// with the signal's reason.
export async function readDigit(picture, include, signal) {
  const answer = await send(`api/predict?include=${include}`, picture, signal);
  if (answer?.probabilities?.length !== 10) throw new Failure("broken");
  return answer;
}

// Resolves to what /read says. length: how many digits are there, or 0 if that is not known.
export async function readLine(picture, length, signal) {
  const answer = await send(`api/read?include=normalised${length ? `&length=${length}` : ""}`, picture, signal);
  if (!Array.isArray(answer?.digits)) throw new Failure("broken");
  return answer;
}

// Resolves to {id, undo}.
export const sendFeedback = (feedback) =>
  send("api/feedback", new Blob([JSON.stringify(feedback)], { type: "application/json" }));

export const undoFeedback = ({ id, undo }) =>
  send(`api/feedback/${encodeURIComponent(id)}?undo=${encodeURIComponent(undo)}`, undefined, undefined, "DELETE");

export const version = () => send("api/version", undefined, undefined, "GET");

async function send(address, body, signal, method = "POST") {
  const patience = new AbortController();
  const giveUp = () => patience.abort();
  const timer = setTimeout(giveUp, PATIENCE);
  signal?.addEventListener("abort", giveUp);
  try {
    const response = await fetch(address, {
      method,
      headers: { Accept: "application/json", ...(body && { "Content-Type": body.type }) },
      body,
      signal: patience.signal,
    });
    if (!response.ok) throw await refusal(response);
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Failure) throw error;
    if (error instanceof SyntaxError) throw new Failure("broken");
    if (patience.signal.aborted) throw new Failure("slow");
    throw new Failure(navigator.onLine ? "unreachable" : "offline");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  const kind = REASONS[problem?.reason] ?? KINDS[response.status] ?? "broken";
  return new Failure(kind, seconds(response.headers.get("Retry-After")));
}

// Retry-After is a number of seconds, or a date.
function seconds(value) {
  if (!value) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return wait >= 0 ? Math.min(wait, 600) : undefined;
}
