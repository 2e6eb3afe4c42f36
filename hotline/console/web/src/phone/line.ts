// The SIP edge: JsSIP over the service's own web socket, one call at a time, its sound, its bell.
// JsSIP rather than SIP.js: released five times in 2026, where SIP.js's last release is of October
// 2022; it keeps a call through the loss of the socket, and is loaded only with this file.
import { UA, WebSocketInterface } from "jssip";
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent, DisconnectEvent } from "jssip/lib/UA";
import type { EndEvent, RTCSession } from "jssip/lib/RTCSession";
import { Microphone, MicrophoneError } from "./microphone";
import { Ringer } from "./ringer";
import type { PhoneEvent } from "./state";

export interface Account {
  user: string;
  password: string;
  domain: string;
  socket: string;
}

const TAKEN = 4001; // the service's word: another page is this seat's telephone now
const AGAIN = 4000; // ms until a refused registration is tried again
const FAULTS = ["WebRTC Error", "Internal Error", "Bad Media Description", "User Denied Media Access"];

export class Line {
  private readonly ua: UA;
  private readonly sound = new Audio();
  private readonly ringer = new Ringer();
  private readonly microphone: Microphone;
  private session: RTCSession | null = null;
  private wasLinked = false;
  private retry = 0;

  constructor(account: Account, private readonly tell: (event: PhoneEvent) => void) {
    this.sound.autoplay = true;
    this.microphone = new Microphone((gone) => tell({ kind: gone ? "trouble" : "well", problem: "microphone_lost" }));
    const at = new URL(account.socket, location.href);
    at.protocol = at.protocol === "https:" ? "wss:" : "ws:";
    this.ua = new UA({
      sockets: new WebSocketInterface(at.href),
      uri: `sip:${account.user}@${account.domain}`,
      password: account.password,
      register_expires: 120,
      session_timers: false, // a refresh that meets a broken socket would end the call
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 4,
    });
    this.ua.on("registered", () => this.linked());
    this.ua.on("unregistered", () => tell({ kind: "unlinked", problem: "no_network" }));
    this.ua.on("disconnected", (lost: DisconnectEvent) => this.unlinked(lost.code));
    this.ua.on("registrationFailed", () => {
      tell({ kind: "unlinked", problem: this.ua.isConnected() ? "refused" : "no_network" });
      this.retry = window.setTimeout(() => this.ua.isConnected() && this.ua.register(), AGAIN);
    });
    this.ua.on("newRTCSession", (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => this.met(event));
  }

  async open(): Promise<void> {
    await this.microphone.check();
    this.ua.start();
  }

  close(): void {
    clearTimeout(this.retry);
    this.ua.stop();
    this.tell({ kind: "unlinked", problem: null });
  }

  async answer(): Promise<void> {
    const session = this.session;
    if (!session?.isInProgress()) return;
    try {
      const mediaStream = await this.microphone.open();
      if (this.session === session && session.isInProgress()) session.answer({ mediaStream });
      else this.microphone.close(); // the caller was quicker
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      this.tell({ kind: "trouble", problem: error.problem });
    }
  }

  hangUp(): void {
    const session = this.session;
    if (session && !session.isEnded()) session.terminate(session.isInProgress() ? { status_code: 486 } : {});
  }

  hold(): void {
    this.session?.hold();
  }

  resume(): void {
    this.session?.unhold();
  }

  mute(on: boolean): void {
    if (!this.session?.isEstablished()) return;
    this.microphone.mute(on);
    this.tell({ kind: "muted", on });
  }

  press(key: string): void {
    const transportType = "RFC2833" as never; // the library's enumeration is a type only
    if (/^[0-9*#]$/.test(key) && this.session?.isEstablished()) this.session.sendDTMF(key, { transportType });
  }

  private linked(): void {
    this.tell({ kind: "linked" });
    if (this.wasLinked) this.showTheWay();
    this.wasLinked = true;
  }

  private unlinked(code: number | undefined): void {
    this.tell({ kind: "unlinked", problem: code === TAKEN ? "elsewhere" : "no_network" });
    if (code !== TAKEN) return;
    // No coming back, or the two pages would take the telephone from each other for ever.
    if (this.session) (this.ua as unknown as { transport: { disconnect(): void } }).transport.disconnect();
    else setTimeout(() => this.ua.stop());
  }

  // After the socket came back: the exchange learns where this call's messages go now, and sound
  // finds a new way where the network has changed.
  private showTheWay(): void {
    const session = this.session;
    if (!session?.isEstablished()) return;
    const state = session.connection.iceConnectionState;
    const iceRestart = state !== "connected" && state !== "completed";
    session.renegotiate(iceRestart ? { rtcOfferConstraints: { iceRestart } } : {});
  }

  private met(event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent): void {
    const { session } = event;
    if (event.originator !== ("remote" as never)) return;
    if (this.session) return session.terminate({ status_code: 486 });
    this.session = session;
    session.on("peerconnection", ({ peerconnection }) => {
      peerconnection.addEventListener("track", ({ track }) => (this.sound.srcObject = new MediaStream([track])));
    });
    session.on("confirmed", () => {
      this.microphone.sendBy(session.connection.getSenders().find((one) => one.track?.kind === "audio"));
      this.tell({ kind: "up" });
    });
    session.on("accepted", () => this.ringer.stop());
    session.on("hold", ({ originator }) => originator === ("local" as never) && this.tell({ kind: "held" }));
    session.on("unhold", ({ originator }) => originator === ("local" as never) && this.tell({ kind: "resumed" }));
    for (const kind of ["ended", "failed"] as const) session.on(kind, (end: EndEvent) => this.over(end));
    const remote = session.remote_identity.uri.user;
    const returned = event.request.getHeader("X-Hotline-Back") !== undefined;
    this.ringer.ring();
    this.tell({ kind: "rings", remote: /^[0-9+*#]+$/.test(remote) ? remote : "", returned });
  }

  private over(end: EndEvent): void {
    this.session = null;
    this.ringer.stop();
    this.microphone.close();
    this.sound.srcObject = null;
    this.tell({ kind: "over", problem: FAULTS.includes(end.cause) ? "call_failed" : null });
  }
}
