// What the telephone in the page shows, and where each thing that happens leads. Pure: time comes
// in, nothing here knows SIP, the browser or Vue, so a test runs it in plain Node.

// unregistered: nobody can ring here. ended: the last call is over and was not cleared away yet.
export type PhoneState = "unregistered" | "registered" | "ringing" | "talking" | "held" | "ended";

// Each has its words in the catalogue as phone_problem.<name>.
export type PhoneProblem =
  | "insecure" // no https and no localhost: the browser gives no microphone
  | "forbidden" // the person, or a policy, refuses the microphone
  | "no_microphone"
  | "microphone_busy"
  | "microphone_lost" // unplugged in the middle: silence is sent until one is there again
  | "no_network" // the service is not reached; an up call goes on and may be heard
  | "refused" // the exchange takes the telephone's name or password no more
  | "elsewhere" // another page or another computer is this seat's telephone now
  | "unavailable" // this seat's exchange has no browser telephones
  | "call_failed"; // a call could not be answered

export interface PhoneView {
  readonly state: PhoneState;
  readonly remote: string; // whom the exchange shows: a number, "" for none
  readonly since: number; // when this state began, in ms since 1970
  readonly muted: boolean;
  readonly linked: boolean; // whether calls can come in and orders go out
  readonly returned: boolean; // a call that was cut off here and came back
  readonly problem: PhoneProblem | null;
}

export type PhoneEvent =
  | { kind: "linked" }
  | { kind: "unlinked"; problem: PhoneProblem | null }
  | { kind: "rings"; remote: string; returned: boolean }
  | { kind: "up" }
  | { kind: "held" }
  | { kind: "resumed" }
  | { kind: "over"; problem: PhoneProblem | null }
  | { kind: "cleared" }
  | { kind: "muted"; on: boolean }
  | { kind: "trouble"; problem: PhoneProblem }
  | { kind: "well"; problem: PhoneProblem };

const IN_CALL: readonly PhoneState[] = ["ringing", "talking", "held"];
const UP: readonly PhoneState[] = ["talking", "held"];

export const inCall = (view: PhoneView): boolean => IN_CALL.includes(view.state);
export const isUp = (view: PhoneView): boolean => UP.includes(view.state);

export function first(now: number): PhoneView {
  return {
    state: "unregistered", remote: "", since: now,
    muted: false, linked: false, returned: false, problem: null,
  };
}

// What does not fit the state changes nothing: a late answer of the network is no fault.
export function next(view: PhoneView, event: PhoneEvent, now: number): PhoneView {
  switch (event.kind) {
    case "linked":
      return atRest({ ...without(view, "no_network", "refused", "elsewhere"), linked: true }, now);
    case "unlinked":
      return atRest({ ...view, linked: false, problem: event.problem ?? without(view, "no_network").problem }, now);
    case "rings":
      if (inCall(view)) return view;
      return {
        ...without(view, "call_failed"), state: "ringing", since: now,
        remote: event.remote, returned: event.returned, muted: false,
      };
    case "up":
      return view.state === "ringing" ? { ...view, state: "talking", since: now } : view;
    case "held":
      return view.state === "talking" ? { ...view, state: "held", since: now } : view;
    case "resumed":
      return view.state === "held" ? { ...view, state: "talking", since: now } : view;
    case "over":
      if (!inCall(view)) return view;
      return {
        ...view, state: "ended", since: now, muted: false,
        problem: event.problem ?? without(view, "microphone_lost").problem,
      };
    case "cleared":
      return view.state === "ended" ? rest({ ...view, remote: "", returned: false }, now) : view;
    case "muted":
      return isUp(view) && view.muted !== event.on ? { ...view, muted: event.on } : view;
    case "trouble":
      return view.problem === event.problem ? view : { ...view, problem: event.problem };
    case "well":
      return without(view, event.problem);
  }
}

// A call, and one just over, outlives the link; otherwise the link is all there is to tell.
function atRest(view: PhoneView, now: number): PhoneView {
  return inCall(view) || view.state === "ended" ? view : rest(view, now);
}

function rest(view: PhoneView, now: number): PhoneView {
  const state = view.linked ? "registered" : "unregistered";
  return state === view.state ? view : { ...view, state, since: now };
}

function without(view: PhoneView, ...problems: PhoneProblem[]): PhoneView {
  return view.problem && problems.includes(view.problem) ? { ...view, problem: null } : view;
}
