// The address book by holder, and what an address must look like; the service checks it again.
import type { components } from "../../../build/api";

type Address = components["schemas"]["AddressView"];
export interface Holder {
  holder: string;
  addresses: Address[];
}

const FORMS: Record<Address["channel"], RegExp> = {
  mail: /^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,255}$/,
  sms: /^\+?[0-9]{5,15}$/,
};

export const isAddress = (channel: Address["channel"], text: string): boolean => FORMS[channel].test(text);

// In the order of the service; only holders whose name holds the words.
export function byHolder(addresses: readonly Address[], words: string): Holder[] {
  const found = new Map<string, Address[]>();
  for (const one of addresses) {
    if (one.holder.includes(words)) found.set(one.holder, [...(found.get(one.holder) ?? []), one]);
  }
  return [...found].map(([holder, own]) => ({ holder, addresses: own }));
}
