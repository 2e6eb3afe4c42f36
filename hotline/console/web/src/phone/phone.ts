// The telephone of the seat, as a page uses it:
//
//   const phone = usePhone();
//   phone.view.value.state    // unregistered | registered | ringing | talking | held | ended
//   await phone.choose("browser")   // this page becomes the telephone that the lines ring
//   await phone.answer()
//
// There is one for the whole browser window, whatever page is shown; its SIP stack is a chunk of
// its own that is fetched when the telephone is first wanted. State: state.ts. SIP: line.ts.
import { computed, type ComputedRef, readonly, ref, type Ref, shallowRef } from "vue";
import { ask, onSignedOut, Refused } from "../api";
import type { Account, Line } from "./line";
import { first, inCall, isUp, next, type PhoneEvent, type PhoneProblem, type PhoneState, type PhoneView } from "./state";
import { become, hadCall, leave, markCall } from "./tab";

export type { PhoneProblem, PhoneState, PhoneView } from "./state";
export type Choice = "browser" | "desk";

export interface Phone {
  readonly view: Readonly<Ref<PhoneView>>;
  readonly state: ComputedRef<PhoneState>;
  readonly remote: ComputedRef<string>;
  readonly since: ComputedRef<number>; // ms since 1970
  readonly muted: ComputedRef<boolean>;
  readonly linked: ComputedRef<boolean>;
  readonly problem: ComputedRef<PhoneProblem | null>;
  // Which telephone the lines ring for this seat; null until the service has said it.
  readonly chosen: Readonly<Ref<Choice | null>>;
  // Whether the exchange of this seat has browser telephones at all.
  readonly possible: Readonly<Ref<boolean>>;

  // Reads the choice and, where it is "browser", becomes the telephone (after a reload, too).
  open(): Promise<void>;
  // Changes the choice; refused by the service during a call. Throws Refused.
  choose(choice: Choice): Promise<void>;
  answer(): Promise<void>;
  hangUp(): void; // refuses a call that rings
  hold(): void;
  resume(): void;
  mute(on: boolean): void;
  press(key: string): void; // DTMF: 0-9, *, #
  clear(): void; // away with a call that is over
}

interface Told {
  chosen: Choice;
  possible: boolean;
  account: Account | null;
}

const CLEARED_AFTER = 5000;

const view = shallowRef<PhoneView>(first(Date.now()));
const chosen = ref<Choice | null>(null);
const possible = ref(false);
let line: Line | null = null;
let opening: Promise<void> | null = null;
let clearing = 0;

function tell(event: PhoneEvent): void {
  const before = view.value;
  const now = (view.value = next(before, event, Date.now()));
  if (isUp(before) !== isUp(now)) markCall(isUp(now));
  if (event.kind === "linked" && !inCall(now) && hadCall()) void askBack();
  if (event.kind === "rings" && now.returned && hadCall()) void line?.answer();
  clearTimeout(clearing);
  if (now.state === "ended") clearing = window.setTimeout(() => tell({ kind: "cleared" }), CLEARED_AFTER);
}

// This page was loaded anew in a call: what the exchange still holds of it has no sound any more.
async function askBack(): Promise<void> {
  try {
    const { calls } = await ask<{ calls: number }>("POST", "/api/phone/back", {});
    if (calls === 0) markCall(false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // the exchange finds out by itself a little later
  }
}

async function follow(told: Told): Promise<void> {
  chosen.value = told.chosen;
  possible.value = told.possible;
  if (told.chosen === "desk") {
    line?.close();
    line = null;
    leave();
  } else if (!told.account) tell({ kind: "trouble", problem: "unavailable" });
  else if (!isSecureContext) tell({ kind: "trouble", problem: "insecure" });
  else if (!line) await become(() => tell({ kind: "trouble", problem: "elsewhere" })).then(() => link(told.account!));
}

async function link(account: Account): Promise<void> {
  const { Line } = await import("./line");
  const fresh = new Line(account, tell);
  try {
    await fresh.open();
    line = fresh;
  } catch (error) {
    leave();
    tell({ kind: "trouble", problem: (error as { problem?: PhoneProblem }).problem ?? "microphone_busy" });
  }
}

const phone: Phone = {
  view: readonly(view) as Readonly<Ref<PhoneView>>,
  state: computed(() => view.value.state),
  remote: computed(() => view.value.remote),
  since: computed(() => view.value.since),
  muted: computed(() => view.value.muted),
  linked: computed(() => view.value.linked),
  problem: computed(() => view.value.problem),
  chosen: readonly(chosen),
  possible: readonly(possible),
  open: () => (opening ??= ask<Told>("GET", "/api/phone").then(follow).finally(() => (opening = null))),
  choose: async (choice) => follow(await ask<Told>("POST", "/api/phone", { chosen: choice })),
  answer: async () => line?.answer(),
  hangUp: () => line?.hangUp(),
  hold: () => line?.hold(),
  resume: () => line?.resume(),
  mute: (on) => line?.mute(on),
  press: (key) => line?.press(key),
  clear: () => tell({ kind: "cleared" }),
};

export const usePhone = (): Phone => phone;

// Whoever signs out takes no calls here any more.
onSignedOut(() => {
  line?.close();
  line = null;
  leave();
});
