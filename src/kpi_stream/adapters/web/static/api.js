// What is asked of the scorecard, and the stream that says when something is new.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Return the answer as JSON; an error carries the server's own words. */
export async function ask(path, query = {}, signal) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const words = new URLSearchParams(given).toString();
  let answer, body;
  try {
    answer = await fetch(`/api/v1/${path}${words ? `?${words}` : ""}`, { signal });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    // Cut off, or something between us that does not speak JSON, such as a proxy.
    throw new ApiError(answer && !answer.ok ? answer.status : 0, answer?.statusText ?? "");
  }
  if (!answer.ok) throw new ApiError(answer.status, body.error);
  return body;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 15_000;
/** The server says something at least this often; a longer silence is a broken stream. */
const SILENCE_MS = 25_000;

/**
 * Follow the stream; it comes back by itself.
 *
 * `onEvaluation` is told of each evaluation, `onState` whether there is a connection.
 * Returns a function that ends it.
 */
export function follow(onEvaluation, onState) {
  let source, timer, watchdog;
  let wait = FIRST_MS;
  let ended = false;

  function lost() {
    source.close();
    clearTimeout(watchdog);
    if (ended) return;
    onState(false);
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_MS);
  }

  function heard() {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENCE_MS);
  }

  function open() {
    source = new EventSource("/api/v1/stream");
    heard();
    source.onopen = () => {
      wait = FIRST_MS;
      onState(true);
      heard();
    };
    source.onerror = lost;
    source.addEventListener("ping", heard);
    source.addEventListener("evaluation", (event) => {
      heard();
      onEvaluation(JSON.parse(event.data));
    });
  }

  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    clearTimeout(watchdog);
    source.close();
  };
}
