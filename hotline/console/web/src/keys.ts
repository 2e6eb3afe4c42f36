// The keyboard: each page says its keys, `?` shows them all.
import { onMounted, onUnmounted, reactive } from "vue";

export interface Key {
  key: string; // as KeyboardEvent.key has it; "Alt+a" with the Alt key, which also works while writing
  says: string; // a key of the message catalogue
  run: () => void;
}

export const shownKeys = reactive<Key[]>([]);

function isWriting(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return Boolean(target?.isContentEditable) || /^(INPUT|TEXTAREA|SELECT)$/.test(target?.tagName ?? "");
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.isComposing) return;
  if (isWriting(event) && !event.altKey) return;
  const pressed = event.altKey ? `Alt+${event.key.toLowerCase()}` : event.key;
  const found = shownKeys.findLast((one) => one.key === pressed);
  if (!found) return;
  event.preventDefault();
  found.run();
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
