// What a unit has to answer beside its cases: supervision notices, tracked items, fault records.
import type { components } from "../../../build/api";

type Supervision = components["schemas"]["SupervisionView"];
type Tracked = components["schemas"]["TrackedView"];
type Fault = components["schemas"]["FaultView"];

export interface Step {
  name: string; // the last part of its address
  text: "text" | "result" | null; // the field of the body that one writes
}

export const supervisionSteps = (one: Pick<Supervision, "state" | "noticed_at">): Step[] => [
  ...(one.noticed_at ? [] : [{ name: "notice", text: null }] as Step[]),
  ...(one.state === "open" ? [{ name: "answer", text: "text" }] as Step[] : []),
  ...(one.state === "cleared" ? [] : [{ name: "progress", text: "text" }] as Step[]),
];

export const trackedSteps = (one: Pick<Tracked, "state">): Step[] =>
  one.state === "given" ? [{ name: "sign", text: null }]
    : one.state === "going" ? [{ name: "report", text: "result" }, { name: "progress", text: "text" }] : [];

export const faultSteps = (one: Pick<Fault, "state" | "appealed_at">): Step[] =>
  one.state === "recorded" ? [{ name: "statement", text: "text" }]
    : one.state === "upheld" && !one.appealed_at ? [{ name: "appeal", text: "text" }] : [];
