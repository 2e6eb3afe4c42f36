// The live feed: one stream for the page. It comes back by itself, goes on after the last entry
// it heard, and tells no entry twice.
import { ref } from "vue";

export const feedState = ref<"connecting" | "live" | "lost">("connecting");
const listeners = new Set<() => void>();
let source: EventSource | null = null;
let again = 0;
let last = 0;

export function onNews(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function heard(event: MessageEvent): void {
  feedState.value = "live";
  const id = Number(event.lastEventId);
  if (event.type === "message" && id <= last) return;
  last = event.type === "message" ? id : id || last;
  listeners.forEach((listener) => listener());
}

export function listen(): void {
  stop();
  source = new EventSource(last ? `/api/feed?last=${last}` : "/api/feed");
  for (const kind of ["hello", "reset", "message"]) source.addEventListener(kind, heard);
  source.onerror = () => {
    feedState.value = "lost";
    // The browser gives up for good on some answers (503 while the service starts): ask again.
    if (source?.readyState === EventSource.CLOSED) again = window.setTimeout(listen, 3000);
  };
}

export function stop(): void {
  clearTimeout(again);
  source?.close();
  source = null;
}

addEventListener("offline", () => (feedState.value = "lost"));
