import { describe, expect, it } from "vitest";
import { formOf, isWhole, mayWrite, textOf, type Card } from "./cards";

const CARD = {
  id: 7, key: "water-temp", version: 2, state: "published", title: "临时用水申请", unit: "water", unit_name: "市水务（集团）有限公司", category: "城乡建设", review: "2027-03-31",
  stale: false, sample: true, reported: 0, materials: ["营业执照", "申请表"], procedure: ["窗口申请"], limit: "5 个工作日", address: "样例路 1 号", transport: "乘 1 路", hours: "工作日",
  basis: "", keywords: ["临时水", "工地"], mandatory: ["materials", "procedure", "limit"], versions: [], feedback: [],
} as unknown as Card;

describe("a card in a form", () => {
  it("comes back as it was", () => {
    const text = textOf(formOf(CARD), "water");
    for (const name of ["title", "unit", "category", "keywords", "materials", "procedure", "limit", "address", "transport", "hours", "basis", "review", "sample"] as const) {
      expect(text[name]).toEqual(CARD[name]);
    }
  });
  it("drops empty lines, and is not whole without what a citizen must know", () => {
    const form = { ...formOf(CARD), materials: " 身份证 \n\n 房产证\n" };
    expect(textOf(form, "water").materials).toEqual(["身份证", "房产证"]);
    expect(isWhole(form)).toBe(true);
    expect(isWhole({ ...form, procedure: " \n" })).toBe(false);
  });
});

describe("who writes a card", () => {
  it("is the hotline's writers, and a unit for itself", () => {
    const unit = { roles: ["unit"], unit: "市水务（集团）有限公司" };
    expect(mayWrite({ roles: ["dispatcher"], unit: null }, "市水务（集团）有限公司")).toBe(true);
    expect(mayWrite(unit, "市水务（集团）有限公司")).toBe(true);
    expect(mayWrite(unit, "市教育和体育局")).toBe(false);
    expect(mayWrite({ roles: ["operator", "administrator"], unit: null }, null)).toBe(false);
  });
});
