// A list by pages, however long it is: the first page is kept new by the feed, further ones come on
// demand and stay as they were read until the reader asks for what is new.
import { onMounted, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { get, sentenceOf } from "./api";
import { useNews } from "./asked";
import type { News } from "./feed";
import type { Query } from "./query";

export interface Paged<Row> {
  rows: Readonly<ShallowRef<Row[]>>;
  error: Readonly<Ref<string>>;
  loading: Readonly<Ref<boolean>>;
  more: Readonly<Ref<boolean>>;
  stale: Readonly<Ref<boolean>>; // there is news, but the reader is deep in the list
  next: () => Promise<void>;
  again: () => Promise<void>;
}

interface Shape<Row, Page> {
  path: string | (() => string);
  query: () => Query; // watched: another question begins at the first page
  rows: (page: Page) => Row[];
  next: (page: Page) => Query | null; // what to add to the question for the page after
  concerns?: (news: News) => boolean;
}

export function usePaged<Row, Page>(shape: Shape<Row, Page>): Paged<Row> {
  const rows = shallowRef<Row[]>([]);
  const error = ref("");
  const loading = ref(true);
  const more = ref(false);
  const stale = ref(false);
  let following: Query | null = null;
  let pages = 0;
  let asked = 0;

  const path = (): string => (typeof shape.path === "string" ? shape.path : shape.path());
  async function load(after: Query | null): Promise<void> {
    const mine = ++asked;
    loading.value = true;
    try {
      const page = await get<Page>(path(), { ...shape.query(), ...after });
      if (mine !== asked) return;
      const found = shape.rows(page);
      rows.value = after ? [...rows.value, ...found] : found;
      pages = after ? pages + 1 : 1;
      following = shape.next(page);
      more.value = following !== null;
      if (!after) stale.value = false;
      error.value = "";
    } catch (refused) {
      if (mine === asked) error.value = sentenceOf(refused);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  const again = (): Promise<void> => load(null);
  const next = (): Promise<void> => (following ? load(following) : Promise.resolve());
  const look = (): void => {
    if (pages > 1) stale.value = true;
    else void again();
  };
  useNews(look, shape.concerns);
  watch(() => path() + JSON.stringify(shape.query()), again);
  onMounted(again);
  return { rows, error, loading, more, stale, next, again };
}
