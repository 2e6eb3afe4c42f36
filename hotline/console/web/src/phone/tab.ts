// One page of this browser is the telephone, however many are open; and a page that was loaded
// anew in the middle of a call knows that it was, so that the call can come back to it.
const LOCK = "hotline.phone";
const MARK = "hotline.phone.call";
const FRESH = 60_000;

let release: (() => void) | null = null;

// Resolves once this page may be the telephone; `waits` is told when another page is it.
export async function become(waits: () => void): Promise<void> {
  if (release) return;
  const late = setTimeout(waits, 1500); // the page that was here before lets go within moments
  await new Promise<void>((granted) => {
    void navigator.locks.request(LOCK, () => new Promise<void>((done) => {
      release = done;
      granted();
    }));
  });
  clearTimeout(late);
}

export function leave(): void {
  release?.();
  release = null;
}

let beat = 0;

export function markCall(up: boolean): void {
  clearInterval(beat);
  if (!up) return sessionStorage.removeItem(MARK);
  const write = (): void => sessionStorage.setItem(MARK, String(Date.now()));
  write();
  beat = window.setInterval(write, 5000);
}

// Whether this very page had a call up a moment ago.
export function hadCall(): boolean {
  return Date.now() - Number(sessionStorage.getItem(MARK) ?? 0) < FRESH;
}
