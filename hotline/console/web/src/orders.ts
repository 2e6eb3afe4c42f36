// Several orders of one place: each has its own deed, so that none takes another's key, or its turn.
import { computed, ref, shallowReactive, type ComputedRef, type Ref } from "vue";
import { useDeed, type Deed } from "./deed";

export interface Orders<T> {
  error: Readonly<Ref<string>>; // of the order given last
  busy: (step: string) => boolean;
  any: ComputedRef<boolean>;
  run: (step: string, body?: object) => Promise<T | null>;
}

// The same order with other words is another order: to call one number is not to call the next.
export function useOrders<T>(send: (key: string, step: string, body: object) => Promise<T>): Orders<T> {
  const deeds = shallowReactive(new Map<string, Deed<[], T>>());
  const error = ref("");
  const underWay = (step: string): boolean => [...deeds].some(([name, one]) => name.startsWith(`${step} `) && one.busy.value);
  async function run(step: string, body: object = {}): Promise<T | null> {
    const name = `${step} ${JSON.stringify(body)}`;
    const deed = deeds.get(name) ?? useDeed<[], T>((key) => send(key, step, body));
    deeds.set(name, deed);
    if (underWay(step)) return null;
    const done = await deed.run();
    error.value = deed.error.value;
    return done;
  }
  return { error, busy: underWay, any: computed(() => [...deeds.values()].some((one) => one.busy.value)), run };
}
