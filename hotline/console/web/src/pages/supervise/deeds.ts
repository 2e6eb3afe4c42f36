// What the overseeing side may do with a record: the unit's own steps stand on its terminal.
import type { components } from "../../../build/api";

export interface Deed {
  name: string; // the last part of its address
  field: string | null; // the field of the body for one's own words
  evidence?: boolean; // pieces are named, at least one
  verdict?: boolean; // upheld or dismissed is said
  danger?: boolean;
}

type Supervision = Pick<components["schemas"]["SupervisionView"], "state" | "level" | "unit" | "noticed_at">;
type Tracked = Pick<components["schemas"]["TrackedView"], "state" | "unit">;
type Fault = Pick<components["schemas"]["FaultView"], "state">;

const PROGRESS: Deed = { name: "progress", field: "text" };

// Of a record that supervises the office itself, the office is also the side that answers.
export function supervisionDeeds(one: Supervision, oversees: boolean): Deed[] {
  if (one.state === "cleared") return [];
  const found: Deed[] = [];
  if (oversees) found.push({ name: "clear", field: "finding", evidence: true });
  if (oversees && one.level !== "list") found.push({ name: "raise", field: "text", danger: true });
  if (one.unit === null && one.noticed_at === null) found.push({ name: "notice", field: null });
  if (one.unit === null && one.state === "open") found.push({ name: "answer", field: "text" });
  return [...found, PROGRESS];
}

export function trackedDeeds(one: Tracked, oversees: boolean): Deed[] {
  if (one.state === "done" || one.state === "ended") return [];
  const found: Deed[] = [];
  if (oversees && one.state === "reported") {
    found.push({ name: "accept", field: "result", evidence: true }, { name: "send-back", field: "reason" });
  }
  if (one.unit === null && one.state === "given") found.push({ name: "sign", field: null });
  if (one.unit === null && one.state === "going") found.push({ name: "report", field: "result" });
  found.push(PROGRESS);
  if (oversees) found.push({ name: "end", field: "reason", danger: true });
  return found;
}

export function faultDeeds(one: Fault, decides: boolean): Deed[] {
  if (!decides) return [];
  if (one.state === "recorded") return [{ name: "decide", field: "reason", verdict: true }];
  if (one.state === "appealed") return [{ name: "decide-appeal", field: "reason", verdict: true }];
  return [];
}
