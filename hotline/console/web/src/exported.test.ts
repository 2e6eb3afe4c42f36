import { afterEach, describe, expect, it, vi } from "vitest";
// Node has no window to listen at.
vi.hoisted(() => (globalThis.addEventListener = () => undefined));

import { Lines, take, type Far } from "./exported";
import { Refused } from "./api";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

describe("the rows of a CSV file", () => {
  it("are counted as they go by, wherever the parts are cut", () => {
    const whole = bytes('mark\r\nid,text\r\n1,"two\r\nlines, ""quoted"""\r\n2,x\r\n');
    for (let at = 0; at <= whole.length; at += 1) {
      const lines = new Lines();
      lines.take(whole.slice(0, at));
      expect(lines.take(whole.slice(at))).toBe(2);
    }
  });
});

describe("taking a list", () => {
  afterEach(() => vi.unstubAllGlobals());
  const answers = (answer: Response): void => void vi.stubGlobal("fetch", () => Promise.resolve(answer));

  it("tells how far it is and gives the file its name", async () => {
    const headers = { "X-Hotline-Rows": "2", "X-Hotline-Cut": "true", "Content-Disposition": "attachment; filename*=UTF-8''cases-%E6%9D%8E.csv" };
    answers(new Response("mark\r\nid\r\n1\r\n2\r\n", { headers }));
    const heard: Far[] = [];
    const taken = await take("/api/exports/cases", { format: "csv" }, new AbortController().signal, (far) => heard.push(far));
    expect(heard.at(-1)).toMatchObject({ rows: 2, of: 2 });
    expect([taken.file.name, taken.rows, taken.cut]).toEqual(["cases-李.csv", 2, true]);
    expect(await taken.file.text()).toBe("mark\r\nid\r\n1\r\n2\r\n");
  });

  it("is refused with the service's word", async () => {
    answers(new Response(JSON.stringify({ type: "too_many_readers", detail: "Later." }), { status: 503 }));
    const refused = take("/api/exports/cases", { format: "xlsx" }, new AbortController().signal, () => undefined);
    await expect(refused).rejects.toBeInstanceOf(Refused);
  });
});
