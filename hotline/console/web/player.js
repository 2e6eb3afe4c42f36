// Plays both sides of a call together: two recordings that began at the same moment.

import { fill, h, icon } from "./dom.js";
import { duration, t, title } from "./text.js";

const APART = 0.12; // seconds the two sides may drift before one is put back

export function player(sound, { onTime = () => {} } = {}) {
  const stored = sound.filter((side) => side.url);
  const missing = sound.filter((side) => !side.url);
  const box = h("div", { class: "player" });
  if (!stored.length) {
    return { node: missing.length ? h("div", { class: "player" }, missing.map(absent)) : null, from: () => {} };
  }
  const voices = stored.map((side) => ({ side, audio: h("audio", { src: side.url, preload: "metadata" }) }));
  const [first, ...others] = voices.map((voice) => voice.audio);
  const length = Math.max(...stored.map((side) => side.seconds || 0));
  const button = h("button", { class: "button round", type: "button" });
  const slider = h("input", { type: "range", min: "0", max: String(length), step: "0.1", value: "0", "aria-label": t("player.position") });
  const time = h("span", { class: "timer" });

  const show = () => {
    const playing = !first.paused;
    button.setAttribute("aria-label", t(playing ? "player.pause" : "player.play"));
    fill(button, icon(playing ? "pause" : "play"));
    slider.value = String(first.currentTime);
    slider.setAttribute("aria-valuetext", duration(first.currentTime));
    time.textContent = `${duration(first.currentTime)} / ${duration(length)}`;
    onTime(first.currentTime, playing);
  };
  const together = () => others.forEach((other) => {
    if (Math.abs(other.currentTime - first.currentTime) > APART) other.currentTime = first.currentTime;
  });
  const play = () => Promise.all(voices.map((voice) => voice.audio.play())).catch(show);
  const pause = () => voices.forEach((voice) => voice.audio.pause());
  const seek = (seconds) => { voices.forEach((voice) => { voice.audio.currentTime = seconds; }); show(); };

  button.addEventListener("click", () => (first.paused ? play() : pause()));
  slider.addEventListener("input", () => seek(Number(slider.value)));
  for (const name of ["play", "pause", "timeupdate", "ended", "loadedmetadata"]) first.addEventListener(name, show);
  first.addEventListener("timeupdate", together);
  const sides = voices.map(({ side, audio }) => h("label", { class: "side" },
    h("input", { type: "checkbox", checked: true, onchange: (event) => { audio.muted = !event.target.checked; } }),
    title("side", side.leg)));
  fill(box, voices.map((voice) => voice.audio), button, slider, time, sides, missing.map(absent));
  show();
  return { node: box, from: (seconds) => { seek(seconds); play(); } };
}

const absent = (side) => h("span", { class: "absent", title: side.reason || "" }, `${title("side", side.leg)}: ${t(`recording.${side.state}`)}`);
