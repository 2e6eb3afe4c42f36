import { expect, it } from "vitest";
import { byHolder, isAddress } from "./book";

const one = (id: number, holder: string) => ({ id, holder, channel: "mail" as const, address: "a***@b.cn", added_by: "zhao.min", added_at: "2026-11-23T02:30:00Z" });

it("puts the addresses of a holder together, those that were looked for", () => {
  const book = [one(1, "市水务局"), one(2, "市交通局"), one(3, "市水务局")];
  expect(byHolder(book, "").map((it) => [it.holder, it.addresses.map((row) => row.id)])).toEqual([["市水务局", [1, 3]], ["市交通局", [2]]]);
  expect(byHolder(book, "交通").map((it) => it.holder)).toEqual(["市交通局"]);
});

it("knows a mail address from a number", () => {
  expect([isAddress("mail", "hot@city.cn"), isAddress("mail", "13800000000"), isAddress("sms", "13800000000"), isAddress("sms", "a@b.cn")]).toEqual([true, false, true, false]);
});
