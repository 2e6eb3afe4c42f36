// The live feed: one stream for the page. It comes back by itself, goes on after the last entry
// it heard, and tells no entry twice.
import { ref } from "vue";

export const feedState = ref<"connecting" | "live" | "lost">("connecting");
// When the service was last heard: what the pages show is no older.
export const heardAt = ref(new Date().toISOString());

// One row of the journal; null says "look again at everything" (a beginning, or a gap).
export interface News {
  id: number;
  at: string;
  actor: string;
  event: string;
  call_id: number | null;
  case_id: number | null;
  body: Record<string, unknown>;
}
type Listener = (news: News | null) => void;
const listeners = new Set<Listener>();
let source: EventSource | null = null;
let again = 0;
let last = 0;

export function onNews(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function heard(event: MessageEvent): void {
  feedState.value = "live";
  heardAt.value = new Date().toISOString();
  const id = Number(event.lastEventId);
  if (event.type === "message" && id <= last) return;
  last = event.type === "message" ? id : id || last;
  const news = event.type === "message" ? (JSON.parse(event.data as string) as News) : null;
  listeners.forEach((listener) => listener(news));
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
