import { expect, it } from "vitest";
import { crossed } from "./crossed";

it("puts the most first, across and down, and a nought where nothing was", () => {
  const places = [
    { level1: "城乡建设", area: "涪城区", cases: 3 },
    { level1: "城乡建设", area: "江油市", cases: 1 },
    { level1: "交通运输", area: "江油市", cases: 5 },
  ];
  expect(crossed(places)).toEqual({
    areas: ["江油市", "涪城区"],
    rows: [
      { level1: "交通运输", sum: 5, counts: [5, 0] },
      { level1: "城乡建设", sum: 4, counts: [1, 3] },
    ],
  });
  expect(crossed([])).toEqual({ areas: [], rows: [] });
});
