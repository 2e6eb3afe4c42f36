// The microphone while a call is up, and what to send when it is taken away: silence, so that the
// exchange does not count the telephone as lost. It comes back by itself when one is plugged in.
import type { PhoneProblem } from "./state";

export class MicrophoneError extends Error {
  constructor(readonly problem: PhoneProblem) {
    super(problem);
  }
}

const PROBLEMS: Record<string, PhoneProblem> = {
  NotAllowedError: "forbidden",
  SecurityError: "insecure",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};

export class Microphone {
  private track: MediaStreamTrack | null = null;
  private silence: AudioContext | null = null;
  private sender: RTCRtpSender | null = null;
  private muted = false;
  private again = (): void => void this.comeBack();

  // `lost` hears true when the microphone is taken away in a call, false when it is back.
  constructor(private readonly lost: (gone: boolean) => void) {}

  // Asks the person once, and sees that there is a microphone; nothing stays open.
  async check(): Promise<void> {
    (await this.ask()).stop();
  }

  async open(): Promise<MediaStream> {
    this.close();
    this.track = this.watched(await this.ask());
    return new MediaStream([this.track]);
  }

  sendBy(sender: RTCRtpSender | undefined): void {
    this.sender = sender ?? null;
  }

  mute(on: boolean): void {
    this.muted = on;
    if (this.track) this.track.enabled = !on;
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.again);
    this.track?.stop();
    void this.silence?.close();
    this.track = this.silence = this.sender = null;
    this.muted = false;
  }

  private async ask(): Promise<MediaStreamTrack> {
    if (!navigator.mediaDevices) throw new MicrophoneError("insecure");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      return stream.getAudioTracks()[0]!;
    } catch (error) {
      throw new MicrophoneError(PROBLEMS[(error as DOMException).name] ?? "microphone_busy");
    }
  }

  private watched(track: MediaStreamTrack): MediaStreamTrack {
    track.enabled = !this.muted;
    track.addEventListener("ended", () => void this.fallSilent());
    return track;
  }

  private async fallSilent(): Promise<void> {
    if (!this.sender) return;
    this.lost(true);
    navigator.mediaDevices.addEventListener("devicechange", this.again);
    this.silence = new AudioContext();
    await this.sender.replaceTrack(this.silence.createMediaStreamDestination().stream.getAudioTracks()[0]!);
    await this.comeBack(); // another one may be there already
  }

  private async comeBack(): Promise<void> {
    const { sender, silence } = this;
    if (!sender || !silence) return;
    try {
      const track = this.watched(await this.ask());
      if (this.sender !== sender) return track.stop(); // the call ended meanwhile
      await sender.replaceTrack(track);
      this.track = track;
    } catch {
      return; // none there yet: the next one that is plugged in asks again
    }
    navigator.mediaDevices.removeEventListener("devicechange", this.again);
    this.silence = null;
    void silence.close();
    this.lost(false);
  }
}
