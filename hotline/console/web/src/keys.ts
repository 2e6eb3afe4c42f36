// The keyboard: each page says its keys, `?` shows them all.
import { onMounted, onUnmounted, reactive } from "vue";

import { isWriting, pressed } from "./pressed";

export interface Key {
  key: string; // as KeyboardEvent.key has it; "Alt+a" with the Alt key, which also works while writing
  says: string; // a key of the message catalogue
  run: () => void;
}

export const shownKeys = reactive<Key[]>([]);

addEventListener("keydown", (event) => {
  const key = pressed(event);
  if (key === null || (!event.altKey && isWriting(event.target))) return;
  const found = shownKeys.findLast((one) => one.key === key);
  if (!found) return;
  event.preventDefault();
  if (!(event.altKey && event.repeat)) found.run(); // an order is given once, however long the key is held
});

export function useKeys(keys: Key[]): void {
  onMounted(() => shownKeys.push(...keys));
  onUnmounted(() => {
    for (const key of keys) {
      const at = shownKeys.findIndex((one) => one.run === key.run);
      if (at >= 0) shownKeys.splice(at, 1);
    }
  });
}

// j and k go down and up through the rows that this names, by their focus.
export function useRowKeys(selector: string): void {
  useStepKeys((by) => {
    const rows = [...document.querySelectorAll<HTMLElement>(selector)];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
  });
}

export function useStepKeys(step: (by: number) => void): void {
  useKeys([
    { key: "j", says: "keys.down", run: () => step(1) },
    { key: "k", says: "keys.up", run: () => step(-1) },
  ]);
}
