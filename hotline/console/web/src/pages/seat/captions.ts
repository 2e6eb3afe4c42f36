// The captions of one call as lines: a final replaces the guess of its leg and segment, and what the
// stream tells again after a break changes nothing.
import type { components } from "../../../build/api";

export type Offer = components["schemas"]["CaptionOfferView"];
export interface Line {
  leg: string;
  segment: number;
  start: number;
  text: string;
  sure: boolean;
}
export interface Captions {
  state: string;
  reason: string | null;
  lines: Line[];
  offer: Offer | null;
}
export const none: Captions = { state: "waiting", reason: null, lines: [], offer: null };

interface Said {
  leg: string;
  segment: number;
  start: number;
  text: string;
}

export function told(before: Captions, event: string, data: unknown): Captions {
  switch (event) {
    case "caption.state":
      return { ...before, state: (data as { state: string }).state, reason: null };
    case "caption.shed":
      return { ...before, state: "shed", reason: (data as { reason: string }).reason };
    case "caption.offer":
      return { ...before, offer: data as Offer };
    default:
      return { ...before, lines: withLine(before.lines, data as Said, event === "caption.final") };
  }
}

function withLine(lines: readonly Line[], said: Said, sure: boolean): Line[] {
  // A service that was started again counts its segments from 1: what stands is told by its second, too.
  const same = lines.find((one) => one.leg === said.leg && one.segment === said.segment && (!one.sure || one.start === said.start));
  if (same?.sure && !sure) return [...lines];
  const line = { leg: said.leg, segment: said.segment, start: said.start, text: said.text, sure };
  return [...lines.filter((one) => one !== same), line].sort((a, b) => a.start - b.start);
}
