// Unfinished work on this computer: kept through a reload or a crash, gone when it is done, after
// half a day, and when the person signs out.
import { onUnmounted, reactive, watch } from "vue";
import { session } from "./session";

const PREFIX = "draft:";
const LONGEST = 12 * 3600 * 1000;

const place = (name: string): string =>
  `${PREFIX}${session.value?.user?.login ?? session.value?.seat ?? ""}:${name}`;

function kept<T extends object>(name: string): Partial<T> {
  try {
    const found = JSON.parse(localStorage.getItem(place(name)) ?? "null") as { at: number; form: T } | null;
    return found && Date.now() - found.at < LONGEST ? found.form : {};
  } catch {
    return {}; // a private window keeps nothing
  }
}

export interface Draft<T> {
  form: T;
  restored: boolean; // something was found from before
  done: () => void; // it is the service's now: forget it
}

export function useDraft<T extends object>(name: string, empty: () => T): Draft<T> {
  const before = kept<T>(name);
  const form = reactive({ ...empty(), ...before }) as T;
  const write = (): void => {
    try {
      localStorage.setItem(place(name), JSON.stringify({ at: Date.now(), form }));
    } catch {
      /* a private window keeps nothing */
    }
  };
  const stop = watch(() => form, write, { deep: true, flush: "sync" });
  onUnmounted(stop);
  return {
    form,
    restored: Object.keys(before).length > 0,
    done: () => {
      Object.assign(form, empty());
      localStorage.removeItem(place(name));
    },
  };
}

export function forgetDrafts(): void {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX)) localStorage.removeItem(name);
  }
}
