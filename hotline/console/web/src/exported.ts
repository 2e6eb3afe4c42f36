// Takes a list away as a file: read as it comes, counted, and broken off where the person says so.
import { opened, type Answer } from "./api";
import { withQuery, type Query } from "./query";

export interface Taken {
  file: File;
  rows: number;
  cut: boolean; // there was more than a file may hold
}

export interface Far {
  rows: number | null; // null: a packed file does not show its rows on the way
  of: number;
  bytes: number;
}

const HEAD = 2; // the watermark and the names of the columns
const [QUOTE, LINE_FEED] = [0x22, 0x0a];

// Lines of a CSV file as they go by; a line break within quotes is part of a cell.
export class Lines {
  private quoted = false;
  private count = 0;

  take(bytes: Uint8Array): number {
    for (const byte of bytes) {
      if (byte === QUOTE) this.quoted = !this.quoted;
      else if (byte === LINE_FEED && !this.quoted) this.count += 1;
    }
    return Math.max(0, this.count - HEAD);
  }
}

const named = (answer: Answer): string => {
  const told = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
  return decodeURIComponent(told?.[1] ?? "export");
};

export async function take(path: string, query: Query, stop: AbortSignal, told: (far: Far) => void): Promise<Taken> {
  const answer = await opened(withQuery(path, query), stop);
  const of = Number(answer.headers.get("X-Hotline-Rows"));
  const lines = query.format === "csv" ? new Lines() : null;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (const reader = answer.body!.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    bytes += value.length;
    told({ rows: lines?.take(value) ?? null, of, bytes });
  }
  const type = answer.headers.get("Content-Type") ?? "";
  return { file: new File(parts, named(answer), { type }), rows: of, cut: answer.headers.get("X-Hotline-Cut") === "true" };
}

// Gives a file to the browser's own downloads.
export function save(file: File): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
