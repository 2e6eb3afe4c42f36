// The live feed: one stream for the page, which comes back by itself and misses nothing.

const listeners = new Set();
const watchers = new Set();
let source = null;
let again = null;
let last = null;
let state = "connecting";
let heardAt = null;

export const feedState = () => ({ state, heardAt });

export function onEntry(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function onFeedState(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function tell(next) {
  if (next === "live") heardAt = Date.now();
  if (next === state) return;
  state = next;
  watchers.forEach((watcher) => watcher());
}

function heard(event) {
  last = event.lastEventId || last;
  tell("live");
}

export function listen() {
  stop();
  source = new EventSource(last === null ? "/api/feed" : `/api/feed?last=${last}`);
  // Whatever was missed meanwhile is in the lists the page loads anew.
  const anew = (event) => { heard(event); listeners.forEach((listener) => listener(null)); };
  source.addEventListener("hello", anew);
  source.addEventListener("reset", anew);
  source.onmessage = (event) => {
    heard(event);
    const entry = JSON.parse(event.data);
    listeners.forEach((listener) => listener(entry));
  };
  source.onerror = () => {
    tell("lost");
    // The browser gives up for good on some answers (503 while the service starts): ask again.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 3000);
  };
}

export function stop() {
  clearTimeout(again);
  if (source) source.close();
  source = null;
}

addEventListener("offline", () => tell("lost"));
addEventListener("online", listen);

// Runs `work` soon after something happened, once for many entries and never two at a time.
export function gently(work, pause = 700) {
  let waiting = false;
  let working = false;
  let wanted = false;
  const run = async () => {
    waiting = false;
    working = true;
    wanted = false;
    try {
      await work();
    } finally {
      working = false;
      if (wanted) soon();
    }
  };
  function soon() {
    wanted = true;
    if (waiting || working) return;
    waiting = true;
    setTimeout(run, pause);
  }
  return soon;
}
