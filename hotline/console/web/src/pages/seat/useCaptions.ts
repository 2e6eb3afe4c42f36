// Follows the captions of one call; a break is mended by the browser and by asking again.
import { onScopeDispose, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { none, told, type Captions } from "./captions";

const EVENTS = ["caption.state", "caption.partial", "caption.final", "caption.offer", "caption.shed"];
const AGAIN = 3000; // milliseconds

export function useCaptions(callId: Readonly<Ref<number | null>>): Readonly<ShallowRef<Captions>> {
  const captions = shallowRef<Captions>(none);
  let source: EventSource | null = null;
  let again = 0;

  function stop(): void {
    clearTimeout(again);
    source?.close();
    source = null;
  }
  function follow(id: number): void {
    stop();
    source = new EventSource(`/api/calls/${id}/captions`);
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => {
        captions.value = told(captions.value, event, JSON.parse((message as MessageEvent<string>).data));
        if (captions.value.state === "over") stop();
      });
    }
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) again = window.setTimeout(() => follow(id), AGAIN);
    };
  }
  watch(callId, (id) => {
    stop();
    captions.value = none;
    if (id !== null) follow(id);
  }, { immediate: true });
  onScopeDispose(stop);
  return captions;
}
