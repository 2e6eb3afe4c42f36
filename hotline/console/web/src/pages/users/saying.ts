import { Refused } from "../../api";
import { refusedField } from "./accounts";

// Runs a deed; a refusal that names its field becomes the sentence for it.
export async function saying<T>(deed: () => Promise<T>, sentence: (field: string) => string): Promise<T> {
  try {
    return await deed();
  } catch (refused) {
    const field = refused instanceof Refused ? refusedField(refused.problem) : null;
    if (field === null) throw refused;
    throw new Refused({ type: "refused_field", detail: sentence(field) });
  }
}
