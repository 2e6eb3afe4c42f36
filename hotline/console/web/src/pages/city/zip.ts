// Several files as one zip archive, stored as they are: what a city's folder travels in.
export interface Entry {
  name: string;
  content: Uint8Array;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32(content: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of content) value = (TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

const UTF8 = 0x0800; // names are UTF-8
const MIDNIGHT = 0x0021; // 1980-01-01: the moment says nothing here, and the same files make the same archive

// What both headers of a file say of it, after their signatures.
function facts(entry: Entry, name: Uint8Array): number[] {
  const size = entry.content.length;
  return [20, UTF8, 0, 0, MIDNIGHT, ...halves(crc32(entry.content)), ...halves(size), ...halves(size), name.length, 0];
}

const halves = (value: number): number[] => [value & 0xffff, value >>> 16];

function words(values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 2));
  values.forEach((value, at) => view.setUint16(at * 2, value, true));
  return new Uint8Array(view.buffer);
}

export function zipped(entries: readonly Entry[]): Blob {
  const files: Uint8Array[] = [];
  const list: Uint8Array[] = [];
  let offset = 0;
  let listed = 0;
  for (const entry of entries) {
    const name = new TextEncoder().encode(entry.name);
    const head = words([...halves(0x04034b50), ...facts(entry, name)]);
    const line = words([...halves(0x02014b50), 20, ...facts(entry, name), 0, 0, 0, ...halves(0), ...halves(offset)]);
    files.push(head, name, entry.content);
    list.push(line, name);
    offset += head.length + name.length + entry.content.length;
    listed += line.length + name.length;
  }
  const end = words([...halves(0x06054b50), 0, 0, entries.length, entries.length, ...halves(listed), ...halves(offset), 0]);
  return new Blob([...files, ...list, end] as BlobPart[], { type: "application/zip" });
}
