// A deed of the person: done once however often the button or the network repeats it.
import { ref, type Ref } from "vue";
import { sentenceOf, Refused } from "./api";

export interface Deed<Args extends unknown[], T> {
  busy: Readonly<Ref<boolean>>;
  error: Ref<string>;
  run: (...args: Args) => Promise<T | null>; // null: refused, and `error` says why
}

// A secure context is not promised inside an office network, and randomUUID wants one.
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// `send` gets a key that stays the same until an answer came, be it a yes or a refusal.
export function useDeed<Args extends unknown[], T>(
  send: (key: string, ...args: Args) => Promise<T>,
): Deed<Args, T> {
  const busy = ref(false);
  const error = ref("");
  let key = newKey();
  async function run(...args: Args): Promise<T | null> {
    if (busy.value) return null;
    busy.value = true;
    error.value = "";
    try {
      const done = await send(key, ...args);
      key = newKey();
      return done;
    } catch (refused) {
      error.value = sentenceOf(refused);
      if (refused instanceof Refused && refused.problem.type !== "unreachable") key = newKey();
      return null;
    } finally {
      busy.value = false;
    }
  }
  return { busy, error, run };
}
