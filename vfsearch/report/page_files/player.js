// One player for all clips; buttons that stand for a clip follow it.
class Player {
  constructor() {
    this.audio = byId("player");
    this.item = -1;
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.follow());
    this.audio.addEventListener("timeupdate", () => this.follow());
    this.audio.addEventListener("error", () => { byId("playing").textContent = "this clip cannot be played"; });
  }

  toggle(item) {
    if (item !== this.item) {
      this.item = item;
      byId("now").hidden = false;
      byId("playing").textContent = DATA.items[item].name;
      this.audio.src = mediaUrl(DATA.items[item].media);
    } else if (!this.audio.paused) {
      this.audio.pause();
      return;
    }
    this.audio.play().catch(() => { /* said by the element's error event, or paused before it began */ });
    this.move();
  }

  sounds(item) { return item === this.item && !this.audio.paused && !this.audio.ended; }

  follow() { for (const button of document.querySelectorAll("button.clip")) this.mark(button); }

  mark(button) {
    const item = Number(button.dataset.item), sounds = this.sounds(item);
    button.setAttribute("aria-pressed", String(sounds));
    button.querySelector(".button").replaceChildren(icon(sounds ? "pause" : "play"));
    this.fill(button);
  }

  fill(button) {
    const length = this.audio.duration || Infinity;
    const done = Number(button.dataset.item) === this.item ? Math.min(1, this.audio.currentTime / length) : 0;
    button.querySelector(".over").style.clipPath = `inset(0 ${100 - 100 * done}% 0 0)`;
  }

  // While a clip sounds its outline fills with every frame.
  move() {
    for (const button of document.querySelectorAll(`button.clip[data-item="${this.item}"]`)) this.fill(button);
    if (!this.audio.ended && !this.audio.paused) requestAnimationFrame(() => this.move());
  }
}

const ICONS = {
  play: "M8 5V19L19 12Z", pause: "M7 5H10.5V19H7ZM13.5 5H17V19H13.5Z", match: "M5 13L10 18L19 6", other: "M6 6L18 18M18 6L6 18",
};
const icon = (name) => draw("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, draw("path", { d: ICONS[name] }));
