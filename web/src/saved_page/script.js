// All voices run at once and only one is heard, so that changing between them never loses the place.
const figures = [...document.querySelectorAll("figure")];
const players = figures.map((figure) => figure.querySelector("audio"));
const play = document.getElementById("play");
const matched = document.getElementById("matched");
const choices = [...document.querySelectorAll("input[name=voice]")];
const clock = players[0];
let voice = Math.min(1, players.length - 1);

for (const mark of document.querySelectorAll("[data-at]")) {
  if (mark.className === "mark") mark.style.bottom = `calc(${100 * mark.dataset.at}% * 180 / 246)`;
  else mark.style.left = `${100 * mark.dataset.at}%`;
}

// An element's volume only attenuates: the loudest gain is full volume, and the others less.
function show() {
  const gains = players.map((player) => (matched.checked ? Number(player.dataset.gain) : 1));
  const most = Math.max(...gains);
  players.forEach((player, index) => {
    player.volume = Math.min(1, gains[index] / most);
    player.muted = index !== voice;
    figures[index].classList.toggle("heard", index === voice);
    choices[index].checked = index === voice;
  });
}

function go(seconds) {
  for (const player of players) player.currentTime = Math.max(0, Math.min(seconds, clock.duration || 0));
}

function toggle() {
  if (clock.paused) {
    go(clock.ended ? 0 : clock.currentTime);
    for (const player of players) player.play();
  } else {
    for (const player of players) player.pause();
  }
}

function frame() {
  const share = clock.duration ? clock.currentTime / clock.duration : 0;
  for (const figure of figures) figure.querySelector(".head").style.left = `${100 * share}%`;
  // Players drift apart by milliseconds in minutes.
  for (const player of players) if (Math.abs(player.currentTime - clock.currentTime) > 0.08) player.currentTime = clock.currentTime;
  play.textContent = clock.paused ? "Play" : "Pause";
  requestAnimationFrame(frame);
}

play.addEventListener("click", toggle);
matched.addEventListener("change", show);
choices.forEach((choice, index) => choice.addEventListener("change", () => { voice = index; show(); }));
for (const picture of document.querySelectorAll(".picture")) {
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    go(((event.clientX - box.left) / box.width) * clock.duration);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const number = Number(event.key);
  if (number >= 1 && number <= players.length) { voice = number - 1; show(); }
  else if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); toggle(); }
  else if (event.key === "ArrowLeft" && event.target.type !== "radio") go(clock.currentTime - 1);
  else if (event.key === "ArrowRight" && event.target.type !== "radio") go(clock.currentTime + 1);
});
show();
frame();
