// The three players of an example share one position; only one player of the page sounds at a time.
const examples = [...document.querySelectorAll(".example")].map((example) => [...example.querySelectorAll("audio")]);
const lastOf = new Map();
let current = examples[0];
for (const players of examples) {
  for (const player of players) {
    player.addEventListener("play", () => {
      const last = lastOf.get(players);
      if (last && last !== player) player.currentTime = last.ended ? 0 : last.currentTime;
      lastOf.set(players, player);
      current = players;
      for (const other of examples.flat()) if (other !== player) other.pause();
    });
  }
}
document.addEventListener("keydown", (event) => {
  if (!current || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "0") current.forEach((player) => player.pause());
  if (["1", "2", "3"].includes(event.key)) current[event.key - 1].play();
});
