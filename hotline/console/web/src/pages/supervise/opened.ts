// A form in a dialogue: empty each time it is opened, with the catalogue it chooses from.
import { reactive, type Ref, shallowRef, watch } from "vue";
import { catalogueOf, type Catalogue } from "../../moves/forms";

export function useOpened<T extends object>(open: Ref<boolean>, empty: () => T): { form: T; catalogue: Ref<Catalogue | null> } {
  const form = reactive(empty()) as T;
  const catalogue = shallowRef<Catalogue | null>(null);
  watch(open, async (now) => {
    if (!now) return;
    Object.assign(form, empty());
    catalogue.value = await catalogueOf().catch(() => null);
  });
  return { form, catalogue };
}
