// What somebody chose to bring: one archive as it is, or the files of a folder packed into one.
import { zipped } from "./zip";

export interface Bringing {
  name: string;
  files: number; // 0: an archive, whose files only the service counts
  archive: Blob;
}

const TEXT = /\.(ya?ml|csv)$/i;
const isArchive = (file: File): boolean => /\.zip$/i.test(file.name);

// A folder tells where each file lies in it; files that were picked one by one lie side by side.
const nameOf = (file: File): string => file.webkitRelativePath || file.name;

export async function brought(files: readonly File[]): Promise<Bringing | null> {
  const [first] = files;
  if (first && files.length === 1 && isArchive(first)) {
    // Held here, so that the load sends what was checked, whatever becomes of the file.
    return { name: first.name, files: 0, archive: new Blob([await first.arrayBuffer()], { type: "application/zip" }) };
  }
  const texts = files.filter((file) => TEXT.test(file.name));
  if (!texts.length) return null;
  const entries = await Promise.all(
    texts.map(async (file) => ({ name: nameOf(file), content: new Uint8Array(await file.arrayBuffer()) })),
  );
  const folder = nameOf(texts[0] as File).split("/")[0] ?? "";
  return { name: folder.includes(".") ? "" : folder, files: entries.length, archive: zipped(entries) };
}
