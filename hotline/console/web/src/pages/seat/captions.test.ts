import { expect, it } from "vitest";
import { none, told } from "./captions";

const said = (leg: string, segment: number, start: number, text: string): object => ({ leg, segment, start, text });

it("puts both sides in order, a final in the place of its guesses", () => {
  let now = told(none, "caption.partial", said("caller", 1, 4, "路灯"));
  now = told(now, "caption.final", said("operator", 1, 1, "您好"));
  now = told(now, "caption.final", said("caller", 1, 4, "路灯坏了"));
  expect(now.lines.map((one) => [one.leg, one.text, one.sure])).toEqual([["operator", "您好", true], ["caller", "路灯坏了", true]]);
});

it("is not changed by what comes again after a break, nor by a guess that is too late", () => {
  const now = told(none, "caption.final", said("caller", 1, 4, "路灯坏了"));
  expect(told(now, "caption.final", said("caller", 1, 4, "路灯坏了")).lines).toEqual(now.lines);
  expect(told(now, "caption.partial", said("caller", 1, 4, "路")).lines).toEqual(now.lines);
});

it("tells why captions were given up, and goes on when they come back", () => {
  const shed = told(none, "caption.shed", { reason: "full" });
  expect([shed.state, shed.reason]).toEqual(["shed", "full"]);
  expect(told(shed, "caption.state", { state: "on" })).toMatchObject({ state: "on", reason: null });
});

it("keeps what stands when the service was started again and counts from 1", () => {
  const now = told(told(none, "caption.final", said("caller", 1, 4, "路灯坏了")), "caption.final", said("caller", 1, 61, "谢谢"));
  expect(now.lines.map((one) => one.text)).toEqual(["路灯坏了", "谢谢"]);
});
