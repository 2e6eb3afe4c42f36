// The bell: 450 Hz, one second in five, as telephones in China ring back (GB/T 3380).
export class Ringer {
  private context: AudioContext | null = null;

  ring(): void {
    if (this.context) return;
    const context = (this.context = new AudioContext());
    const loudness = context.createGain();
    const tone = context.createOscillator();
    tone.frequency.value = 450;
    loudness.gain.value = 0;
    tone.connect(loudness).connect(context.destination);
    for (let n = 0; n < 24; n += 1) {
      loudness.gain.setTargetAtTime(0.2, context.currentTime + 5 * n, 0.02);
      loudness.gain.setTargetAtTime(0, context.currentTime + 5 * n + 1, 0.02);
    }
    tone.start();
  }

  stop(): void {
    void this.context?.close();
    this.context = null;
  }
}
