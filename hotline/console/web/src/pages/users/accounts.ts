// What the page knows of an account beside what it shows: its form, its standing, a password to hand over.
import type { Problem } from "../../api";
import type { components } from "../../../build/api";

export type User = components["schemas"]["UserView"];
export type Role = User["roles"][number];
export const ROLES: Role[] = [
  "operator", "dispatcher", "auditor", "call_back", "duty_officer", "supervisor", "leader", "discipline", "unit", "administrator",
];

export interface UserForm {
  login: string;
  name: string;
  roles: Role[];
  unit: string;
  extension: string;
  is_head: boolean;
  password: string;
}

export const formOf = (user: User | null): UserForm => ({
  login: user?.login ?? "",
  name: user?.name ?? "",
  roles: [...(user?.roles ?? [])],
  unit: user?.unit ?? "",
  extension: user?.extension ?? "",
  is_head: user?.is_head ?? false,
  password: "",
});

// A change takes all facts; a unit goes with its role only.
export const factsOf = (form: UserForm): Record<string, unknown> => ({
  name: form.name.trim(),
  roles: form.roles,
  unit: form.roles.includes("unit") ? form.unit : null,
  extension: form.extension || null,
  is_head: form.is_head,
});

export const isWhole = (form: UserForm): boolean =>
  Boolean(form.name.trim()) && form.roles.length > 0 && (!form.roles.includes("unit") || Boolean(form.unit));

// The roles that look far or decide much are told apart at a glance.
export const toneOf = (role: Role): "danger" | "warning" | "info" =>
  role === "administrator" || role === "discipline" ? "danger" : role === "supervisor" || role === "leader" ? "warning" : "info";

// Nothing that is read wrongly from paper: no 0, 1, i, l, o.
const LETTERS = "23456789abcdefghjkmnpqrstuvwxyz";
export const PASSWORD_BYTES = 16;

// Four groups of four letters: 79 bits. Bytes that would favour some letters are folded, which costs
// less than half a bit of each.
export function passwordOf(bytes: Uint8Array): string {
  const letters = Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length] ?? "").join("");
  return letters.match(/.{4}/g)?.join("-") ?? "";
}

// The fields that the service names at the head of a refusal; the page says them in its own words.
const FIELDS = ["login", "name", "roles", "unit", "extension", "password", "who", "deputy", "since", "until", "days"];

export function refusedField(problem: Problem): string | null {
  if (problem.type === "not_possible") return "last";
  const field = problem.type === "invalid" ? problem.detail.split(":")[0] : undefined;
  return field !== undefined && FIELDS.includes(field) ? field : null;
}
