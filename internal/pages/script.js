"use strict";
for (const button of document.querySelectorAll("button[data-copy]")) {
if (!navigator.clipboard) break;
button.hidden = false;
button.addEventListener("click", async () => {
await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
button.nextElementSibling.textContent = button.dataset.ready;
});
}
const away = document.querySelector("a[data-leave]");
if (away) location.replace(away.href);
const state = document.querySelector("[data-status]");
if (state) {
const said = state.textContent;
const say = (text) => { if (state.textContent !== text) state.textContent = text; };
let timer, asking = false, pause = 2000;
const go = () => location.replace(state.dataset.next);
const ask = async () => {
clearTimeout(timer);
if (asking || document.hidden) return;
asking = true;
try {
const answer = await fetch(state.dataset.status, { cache: "no-store", headers: { Accept: "application/json" } });
if (answer.status >= 500 || answer.status === 429) throw 0;
const now = answer.ok ? await answer.json() : { problem: "page" };
if (now.done || now.problem) {
say(now.done ? state.dataset.done : said);
return go();
}
say(said);
pause = 2000;
} catch {
say(state.dataset.lost);
pause = Math.min(pause * 2, 30000);
} finally {
asking = false;
}
timer = setTimeout(ask, pause);
};
document.addEventListener("visibilitychange", ask);
timer = setTimeout(ask, pause);
}
