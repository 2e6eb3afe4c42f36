// What the service says in both languages, in the reader's.
import { language } from "../../text";

export const both = (text: { zh: string; en: string }): string => (language.value === "en" ? text.en : text.zh);
