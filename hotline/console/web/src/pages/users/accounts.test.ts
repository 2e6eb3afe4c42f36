import { expect, it } from "vitest";
import { factsOf, formOf, isWhole, passwordOf, PASSWORD_BYTES, refusedField, type User } from "./accounts";

const LIN: User = {
  id: 7, login: "lin.na", name: "林娜", roles: ["unit", "auditor"], unit: "市水务局", extension: "1001", is_head: true,
  has_password: true, must_change: false, active: true, failures: 0, waits_until: null, added_at: "2026-11-23T02:30:00Z", added_by: "zhao.min",
};

it("keeps every fact of a user that nobody touched", () => {
  const { name, roles, unit, extension, is_head } = LIN;
  expect(factsOf(formOf(LIN))).toEqual({ name, roles, unit, extension, is_head });
});

it("lets a unit go with its role, and waits for one where the role needs it", () => {
  const form = formOf(LIN);
  form.roles = ["auditor"];
  expect(factsOf(form).unit).toBeNull();
  form.roles = ["unit"];
  form.unit = "";
  expect(isWhole(form)).toBe(false);
});

it("makes passwords that are read from paper without a mistake", () => {
  const made = passwordOf(new Uint8Array(PASSWORD_BYTES).map((_, at) => at * 37));
  expect(made).toMatch(/^([2-9a-hjkmnp-z]{4}-){3}[2-9a-hjkmnp-z]{4}$/);
  expect(passwordOf(new Uint8Array(PASSWORD_BYTES))).toBe("2222-2222-2222-2222");
});

it("says a refusal by the field that the service names", () => {
  expect(refusedField({ type: "invalid", detail: "extension: 1001 is the seat of li." })).toBe("extension");
  expect(refusedField({ type: "not_possible", detail: "zhao is the last administrator: make another." })).toBe("last");
  expect(refusedField({ type: "invalid", detail: "The body is no JSON." })).toBeNull();
});
