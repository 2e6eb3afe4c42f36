// What a page asked the service for, kept new by the feed: one value with its three other states.
import { onMounted, onUnmounted, ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { sentenceOf } from "./api";
import { onNews, type News } from "./feed";

export interface Asked<T> {
  value: Readonly<ShallowRef<T | null>>;
  error: Readonly<Ref<string>>;
  loading: Readonly<Ref<boolean>>;
  again: () => Promise<void>;
}

const GENTLY = 400; // milliseconds: what happened together is asked for together

// Calls `look` some time after news that concerns it, never twice at once, and not while nobody sees it.
export function useNews(look: () => unknown, concerns: (news: News) => boolean = () => true): void {
  let soon = 0;
  let missed = false;
  const later = (): void => {
    if (document.hidden) {
      missed = true;
      return;
    }
    clearTimeout(soon);
    soon = window.setTimeout(look, GENTLY);
  };
  const shown = (): void => {
    if (document.hidden || !missed) return;
    missed = false;
    later();
  };
  const leave = onNews((news) => {
    if (news === null || concerns(news)) later();
  });
  onMounted(() => document.addEventListener("visibilitychange", shown));
  onUnmounted(() => {
    leave();
    clearTimeout(soon);
    document.removeEventListener("visibilitychange", shown);
  });
}

// Asks when the page comes and after each piece of news that concerns it. An answer that comes after
// a later question is not shown; a failure keeps what was shown and says its sentence beside it.
// `concerns` null: no news is listened to.
export function useAsked<T>(
  load: () => Promise<T>,
  concerns: ((news: News) => boolean) | null = () => true,
): Asked<T> {
  const value = shallowRef<T | null>(null);
  const error = ref("");
  const loading = ref(true);
  let asked = 0;
  async function again(): Promise<void> {
    const mine = ++asked;
    loading.value = true;
    try {
      const found = await load();
      if (mine !== asked) return;
      value.value = found;
      error.value = "";
    } catch (refused) {
      if (mine === asked) error.value = sentenceOf(refused);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }
  if (concerns) useNews(again, concerns);
  onMounted(again);
  return { value, error, loading, again };
}
