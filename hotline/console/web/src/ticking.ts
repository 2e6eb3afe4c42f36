// One second hand for every timer on the page.
import { onScopeDispose, ref, type Ref } from "vue";

const now = ref(Date.now());
let watchers = 0;
let beat = 0;

// The time in milliseconds, new each second while somebody looks.
export function useNow(): Readonly<Ref<number>> {
  watchers += 1;
  if (watchers === 1) {
    now.value = Date.now();
    beat = window.setInterval(() => (now.value = Date.now()), 1000);
  }
  onScopeDispose(() => {
    watchers -= 1;
    if (watchers === 0) clearInterval(beat);
  });
  return now;
}
