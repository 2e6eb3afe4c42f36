import { expect, it } from "vitest";
import { historyOf, mine, type Call } from "./mine";

const call = (more: Partial<Call>): Call => ({ ended_at: null, operator: null, answered_at: null, ringing_at: null, ringing: [], ...more }) as Call;
const rings = call({ id: 3, ringing_at: "2026-11-26T10:00:00Z" });
const talks = call({ id: 2, operator: "1001", answered_at: "2026-11-26T09:58:00Z", ringing_at: "2026-11-26T09:57:00Z" });
const over = call({ id: 1, operator: "1001", answered_at: "2026-11-26T09:00:00Z", ended_at: "2026-11-26T09:05:00Z" });

it("is the call it talks on, whatever rings elsewhere", () => {
  expect(mine([rings, talks, over], "1001", "talking")).toBe(talks);
  expect(mine([rings, talks, over], "1001", "ringing")).toBe(talks);
});

it("is a ringing call only while its own telephone rings", () => {
  expect(mine([rings, over], "1001", "ringing")).toBe(rings);
  expect(mine([rings, over], "1001", "ready")).toBeNull();
  expect(mine([over], "1001", "ringing")).toBeNull();
});

it("shows no other seat's caller where two ring at once", () => {
  const [other, here] = [{ ...rings, id: 4, ringing: ["1002"] }, { ...rings, id: 5, ringing: ["1001", "1003"] }];
  expect(mine([other, here], "1001", "ringing")).toBe(here);
  expect(mine([other], "1001", "ringing")).toBeNull();
  expect(mine([rings, { ...rings, id: 6 }], "1001", "ringing")).toBeNull();
});

it("tells the history that came with the ring", () => {
  expect(historyOf([{ event: "call.started", body: {} }, { event: "call.ringing", body: { history: { calls: 2 } } }])).toEqual({ calls: 2 });
  expect(historyOf([])).toBeNull();
});
