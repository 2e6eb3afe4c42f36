// Which key of a page's was pressed, and whether somebody is writing. Pure.

export interface Stroke {
  key: string;
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  defaultPrevented: boolean;
}

// As a page's key is named; null where it is none: it belongs to the browser, to what has the focus, or
// to an input method. With Alt the place of the key counts: on a Mac, Alt with A writes another letter.
export function pressed(it: Stroke): string | null {
  if (it.ctrlKey || it.metaKey || it.isComposing || it.defaultPrevented) return null;
  if (!it.altKey) return it.key;
  return `Alt+${/^Key[A-Z]$/.test(it.code) ? it.code.slice(3).toLowerCase() : it.key}`;
}

// Fields in which a letter is written; a tick or a button takes none.
const NO_TEXT = /^(checkbox|radio|button|submit|reset|range|color|file|image)$/;

export function isWriting(target: unknown): boolean {
  const it = target as { tagName?: string; type?: string; isContentEditable?: boolean } | null;
  if (it?.isContentEditable) return true;
  if (it?.tagName === "INPUT") return !NO_TEXT.test(it.type ?? "text");
  return it?.tagName === "TEXTAREA" || it?.tagName === "SELECT";
}
