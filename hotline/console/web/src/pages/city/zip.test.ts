import { describe, expect, it } from "vitest";
import { crc32, zipped } from "./zip";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("an archive of files", () => {
  it("sums as everybody does", () => {
    expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
    expect(crc32(bytes(""))).toBe(0);
  });
  it("has each file once, a list of them, and its end", async () => {
    const files = [{ name: "rules.yaml", content: bytes("city: 绵阳市\n") }, { name: "a/b.csv", content: bytes("") }];
    const archive = new DataView(await zipped(files).arrayBuffer());
    const end = archive.byteLength - 22;
    expect(archive.getUint32(end, true)).toBe(0x06054b50);
    expect(archive.getUint16(end + 10, true)).toBe(2);
    const list = archive.getUint32(end + 16, true);
    expect(archive.getUint32(list, true)).toBe(0x02014b50);
    expect(archive.getUint32(list + 16, true)).toBe(crc32(bytes("city: 绵阳市\n")));
    expect(list + archive.getUint32(end + 12, true)).toBe(end);
    const second = archive.getUint32(list + 46 + "rules.yaml".length + 42, true);
    expect(archive.getUint32(second, true)).toBe(0x04034b50);
  });
});
