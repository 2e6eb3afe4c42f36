import { describe, expect, it } from "vitest";
import { stageOf, stretchesOf } from "./stages";

const at = (second: number): string => new Date(Date.UTC(2026, 10, 26, 1, 0, second)).toISOString();
const CALL = { direction: "incoming", started_at: at(0), queued_at: at(4), ringing_at: at(5), answered_at: at(10), message_at: null, ended_at: at(40) } as const;

describe("how a call went", () => {
  it("is told in the parts that took time", () => {
    expect(stretchesOf(CALL, 0)).toEqual([{ name: "notice", seconds: 4 }, { name: "wait", seconds: 6 }, { name: "talk", seconds: 30 }]);
    expect(stretchesOf({ ...CALL, answered_at: null, ended_at: at(9) }, 0).map((one) => one.name)).toEqual(["notice", "wait"]);
  });

  it("goes on while nobody hung up", () => {
    const talking = { ...CALL, ended_at: null };
    expect(stretchesOf(talking, Date.parse(at(70)) / 1000)[2]).toEqual({ name: "talk", seconds: 60 });
    expect(stageOf({ ...talking, outcome: null })).toBe("talking");
    expect(stageOf({ ...talking, answered_at: null, outcome: null })).toBe("ringing");
  });
});
