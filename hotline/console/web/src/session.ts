// Who sits here: the service's own word, asked at the start and after each change.
import { computed, ref } from "vue";
import { ask, onSignedOut } from "./api";
import type { components } from "../build/api";

export type Session = components["schemas"]["Session"];
export const session = ref<Session | null>(null);
export const name = computed(() => session.value?.user?.name ?? session.value?.seat ?? "");

export async function loadSession(): Promise<void> {
  session.value = await ask<Session>("GET", "/api/session");
}

export async function signIn(login: string, password: string, seat: string): Promise<void> {
  const who = session.value?.login_needed ? { login } : {};
  session.value = await ask<Session>("POST", "/api/session", { ...who, password, ...(seat ? { seat } : {}) });
}

// While nobody needs to sign in, whoever sits here says at which seat; none is the console.
export async function sitAt(seat: string): Promise<void> {
  session.value = seat ? await ask<Session>("POST", "/api/session", { seat }) : await ask<Session>("DELETE", "/api/session");
}

export async function signOut(): Promise<void> {
  session.value = await ask<Session>("DELETE", "/api/session");
}

onSignedOut(() => void loadSession());

export async function changePassword(old: string, fresh: string): Promise<void> {
  session.value = await ask<Session>("POST", "/api/session/password", { old, new: fresh });
}

export const holds = (...roles: string[]): boolean =>
  session.value?.roles.some((role) => roles.includes(role)) === true;

// The hotline's own people, who see every case; a unit's see those that are theirs.
export const OFFICE = ["operator", "dispatcher", "duty_officer", "supervisor", "call_back", "auditor", "leader", "discipline"];
