// The kinds that a person chooses from, as the API knows them.
import type { components } from "../../../build/api";

export const ITEM_TYPES: readonly components["schemas"]["NewTracked"]["type"][] = ["leader", "decision", "suggestion", "proposal", "target"];
export const FACTS: readonly components["schemas"]["NewFault"]["fact"][] = [
  "not_signed", "late", "pushed_away", "false_reply", "faked", "rude", "leak", "other",
];
export const FAULT_STATES: readonly components["schemas"]["FaultView"]["state"][] = ["recorded", "upheld", "appealed", "dismissed"];
