// All voices of an exhibit run at once and only one is heard, so that changing between them never loses the place.
class Exhibit {
  constructor(element) {
    this.element = element;
    this.figures = [...element.querySelectorAll(".voice")];
    this.players = this.figures.map((figure) => figure.querySelector("audio"));
    this.clock = this.players[0];
    this.play = element.querySelector(".play");
    this.matched = element.querySelector(".matched");
    this.choices = [...element.querySelectorAll(".controls input[type=radio]")];
    this.frame = 0;

    for (const player of this.players) player.controls = false;
    element.querySelector(".controls").hidden = false;
    this.play.addEventListener("click", () => this.toggle());
    this.matched?.addEventListener("change", () => this.mix());
    for (const choice of this.choices) choice.addEventListener("change", () => this.mix());
    for (const event of ["pointerdown", "focusin"]) element.addEventListener(event, () => (used = this));
    for (const event of ["play", "pause", "ended", "seeked"]) this.clock.addEventListener(event, () => this.draw());
    for (const picture of element.querySelectorAll(".picture")) {
      picture.addEventListener("click", (event) => {
        const box = picture.querySelector(".spectrogram").getBoundingClientRect();
        this.seek(((event.clientX - box.left) / box.width) * this.clock.duration);
      });
    }
    this.mix();
    this.draw();
  }

  // An element's volume only attenuates: the loudest gain is full volume, and the others less.
  mix() {
    const gains = this.players.map((player) => (this.matched?.checked ? Number(player.dataset.gain ?? 1) : 1));
    const most = Math.max(...gains);
    this.players.forEach((player, index) => {
      const heard = this.choices[index].checked;
      player.volume = Math.min(1, gains[index] / most);
      player.muted = !heard;
      this.figures[index].classList.toggle("heard", heard);
    });
  }

  choose(index) {
    this.choices[index].checked = true;
    this.mix();
  }

  seek(seconds) {
    if (Number.isNaN(seconds)) return;
    for (const player of this.players) player.currentTime = Math.max(0, Math.min(seconds, this.clock.duration));
  }

  toggle() {
    if (!this.clock.paused) return this.pause();
    for (const other of exhibits) if (other !== this) other.pause();
    // At the end, from the beginning.
    const { currentTime, duration } = this.clock;
    this.seek(duration - currentTime > 0.05 ? currentTime : 0);
    for (const player of this.players) player.play();
  }

  pause() {
    for (const player of this.players) player.pause();
  }

  draw() {
    cancelAnimationFrame(this.frame);
    const { currentTime, duration, paused } = this.clock;
    for (const figure of this.figures) {
      figure.querySelector(".head").style.left = `${duration ? (100 * currentTime) / duration : 0}%`;
    }
    this.play.textContent = paused ? "Play" : "Pause";
    if (paused) return;
    // Players drift apart by milliseconds in minutes.
    for (const player of this.players) if (Math.abs(player.currentTime - currentTime) > 0.08) player.currentTime = currentTime;
    this.frame = requestAnimationFrame(() => this.draw());
  }

  key(event) {
    const on = event.target;
    const digit = Number(event.key);
    if (digit >= 1 && digit <= this.players.length) this.choose(digit - 1);
    else if (event.key === " " && !on.matches("button, [type=checkbox]")) {
      event.preventDefault();
      this.toggle();
    } else if (event.key === "ArrowLeft" && on.type !== "radio") this.seek(this.clock.currentTime - 1);
    else if (event.key === "ArrowRight" && on.type !== "radio") this.seek(this.clock.currentTime + 1);
  }
}

// Keys act on the exhibit used last. Where there are several, none is used at first, and space scrolls.
let used;
const exhibits = [...document.querySelectorAll(".exhibit")].map((element) => new Exhibit(element));
if (exhibits.length === 1) used = exhibits[0];
document.addEventListener("keydown", (event) => {
  if (!used || event.ctrlKey || event.metaKey || event.altKey) return;
  // What has the focus elsewhere on the page keeps its keys.
  if (event.target === document.body || used.element.contains(event.target)) used.key(event);
});
