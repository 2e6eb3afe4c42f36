// What is played: one side of one call, from a moment on.
export interface Playing {
  call: number;
  leg: string;
  url: string;
  hides: boolean; // it is silent somewhere, for personal data
}
