// Who sits at a seat: its number with the name that the exchange's list gives it.
import { get } from "../../api";
import { useAsked } from "../../asked";
import type { components } from "../../../build/api";

type Operators = components["schemas"]["Operators"];

export function useNames(): { seat: (extension: string) => string } {
  const told = useAsked(() => get<Operators>("/api/operators"), null);
  return {
    seat: (extension) => {
      const found = told.value.value?.operators.find((one) => one.operator === extension);
      return found?.name ? `${found.name}（${extension}）` : extension;
    },
  };
}

export const dutyNews = (news: { event: string }): boolean =>
  /^(duty|callout|coverage|roster)\./.test(news.event);
