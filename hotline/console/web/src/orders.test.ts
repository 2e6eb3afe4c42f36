import { expect, it, vi } from "vitest";
// Node has no window to listen at.
vi.hoisted(() => (globalThis.addEventListener = () => undefined));

import { Refused } from "./api";
import { useOrders } from "./orders";

const away = (): Refused => new Refused({ type: "unreachable", detail: "" });

it("gives each order a key of its own, which an order that was not answered keeps", async () => {
  const sent: [string, string, string][] = [];
  let reached = false;
  const orders = useOrders(async (key, step, body) => {
    sent.push([step, JSON.stringify(body), key]);
    if (!reached) throw away();
    return true;
  });
  await orders.run("transfer", { target: "1002" });
  await orders.run("hold");
  reached = true;
  await orders.run("transfer", { target: "1003" });
  await orders.run("transfer", { target: "1002" });
  const keys = sent.map((one) => one[2]);
  expect(keys[3]).toBe(keys[0]); // the very same order again
  expect(new Set(keys).size).toBe(3);
  await orders.run("transfer", { target: "1002" });
  expect(sent.at(-1)?.[2]).not.toBe(keys[0]); // it was answered: this is a new one
});

it("gives one order once, and others meanwhile", async () => {
  let free = (): void => undefined;
  const gate = new Promise<void>((done) => (free = done));
  const sent: string[] = [];
  const orders = useOrders(async (_key, step) => {
    sent.push(step);
    await gate;
    return true;
  });
  const first = orders.run("hold");
  expect(await orders.run("hold")).toBeNull();
  const other = orders.run("invite", { target: "110" });
  expect([orders.busy("hold"), orders.busy("unhold")]).toEqual([true, false]);
  free();
  await Promise.all([first, other]);
  expect(sent).toEqual(["hold", "invite"]);
});
