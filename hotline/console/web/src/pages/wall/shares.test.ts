import { describe, expect, it } from "vitest";
import { byNeed, seatsByState, stageOf, toneOf, waitingCases, type Call, type Seat } from "./shares";

const call = (id: number, facts: Partial<Call>): Call =>
  ({ id, started_at: "2026-11-23T02:00:00Z", queued_at: null, ringing_at: null, answered_at: null, message_at: null, ...facts }) as Call;

describe("what the wall says", () => {
  it("calls a rate without a denominator neither kept nor broken", () => {
    expect(toneOf({ numerator: 0, denominator: 0, value: null }, 0.95)).toBe("calm");
    expect(toneOf({ numerator: 19, denominator: 20, value: 0.95 }, 0.95)).toBe("good");
    expect(toneOf({ numerator: 9, denominator: 20, value: 0.45 }, 0.95)).toBe("bad");
  });

  it("counts a wait from the queue on, also while a seat rings", () => {
    const ringing = call(1, { queued_at: "2026-11-23T02:00:05Z", ringing_at: "2026-11-23T02:00:30Z" });
    expect(stageOf(ringing)).toEqual({ stage: "ringing", at: "2026-11-23T02:00:05Z" });
    expect(stageOf({ ...ringing, answered_at: "2026-11-23T02:00:40Z" }).stage).toBe("talking");
  });

  it("puts whoever waits longest first and talks last", () => {
    const talks = call(1, { answered_at: "2026-11-23T01:00:00Z" });
    const short = call(2, { queued_at: "2026-11-23T02:01:00Z" });
    const long = call(3, { queued_at: "2026-11-23T02:00:10Z", ringing_at: "2026-11-23T02:01:30Z" });
    expect(byNeed([talks, short, long]).map((one) => one.id)).toEqual([3, 2, 1]);
  });

  it("leaves no seat out of the board", () => {
    const seats = [{ operator: "1", state: "paused" }, { operator: "2", state: "ready" }] as Seat[];
    expect(seatsByState(seats).flatMap((one) => one.seats)).toHaveLength(2);
  });

  it("puts emergencies before what is overdue, and that before the rest", () => {
    const one = (id: number, urgency: string, state: string, standing: string | null) => ({ id, urgency, state, standing }) as never;
    const found = waitingCases(
      [one(1, "normal", "open", null), one(2, "normal", "handling", "overdue"), one(3, "emergency", "draft", null), one(4, "normal", "handling", "running")], 2,
    );
    expect(found.count).toBe(3);
    expect(found.shown.map((each) => each.id)).toEqual([3, 2]);
  });
});
