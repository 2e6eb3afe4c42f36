// How the parts of the service are: asked again and again, for a part that fails makes no news.
import { onScopeDispose, shallowRef, type ShallowRef } from "vue";
import type { components } from "../../../build/api";

type Health = components["schemas"]["Health"];
const EVERY = 15_000; // milliseconds

// `null` until the service said something, and again when it says nothing.
export function useHealth(): Readonly<ShallowRef<Health | null>> {
  const health = shallowRef<Health | null>(null);
  async function look(): Promise<void> {
    try {
      // Not through `get`: a service that is not well answers 503 and says here why.
      health.value = (await (await fetch("/healthz")).json()) as Health;
    } catch {
      health.value = null;
    }
  }
  void look();
  const beat = window.setInterval(look, EVERY);
  onScopeDispose(() => clearInterval(beat));
  return health;
}
