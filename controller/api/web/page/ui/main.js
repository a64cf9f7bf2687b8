// Where everything is put together: the gate, if there is one, and then the board,
// which is kept up to date until the tab is closed or the token is refused.

import { chart, mark, sample } from "./chart.js";
import { put, tick } from "./dom.js";
import { picture } from "./picture.js";
import { Denied, follow, get, hasToken, setToken, watch } from "./read.js";
import { happened, letters, nodes, plan, queues, verdict } from "./show.js";

const element = (id) => document.getElementById(id);
let latest; // the last status
let lettersOf = ""; // of which state the dead letters are shown

function live(state, text) {
  element("live").dataset.state = state;
  put("live-text", text);
}

// redraw draws what depends on the room that there is.
function redraw() {
  if (!latest) {
    return;
  }
  picture(element("picture"), latest, element("picture").clientWidth);
  chart(element("chart"), element("chart").clientWidth);
}

function showStatus(status, signal) {
  latest = status;
  document.title = `ehc: ${status.node}`;
  put("self", status.node);
  put("version", status.version);
  sample(status);
  verdict(status);
  nodes(status);
  queues(status);
  redraw();
  const dead = status.outbox.map((queue) => `${queue.app} ${queue.dead}`).join();
  if (dead !== lettersOf) {
    lettersOf = dead;
    const all = status.outbox.reduce((sum, queue) => sum + queue.dead, 0);
    get("v1/outbox?dead=true&limit=50", signal).then((answer) => letters(answer, all)).catch(() => { lettersOf = ""; });
  }
}

// board shows the cluster until the token is refused.
async function board() {
  const stop = new AbortController();
  const { signal } = stop;
  const alive = (is, why) => (is ? live("live", "live") : live("lost", why ? "no answer, trying again" : "connecting"));
  const past = await get("v1/history?limit=200", signal); // a Denied comes from here
  element("gate").hidden = true;
  element("board").hidden = false;
  element("sections").hidden = false;
  past.entries.forEach(mark);
  happened(past.entries);
  const clock = setInterval(() => { tick(); redraw(); }, 5000);
  const room = new ResizeObserver(redraw);
  room.observe(element("picture"));
  try {
    await Promise.race([
      watch("v1/status", signal, (status) => showStatus(status, signal), alive),
      watch("v1/plan", signal, plan, () => {}),
      follow("v1/history/follow", past.last, signal, (entry) => { mark(entry); happened([entry]); }),
    ]);
  } finally {
    stop.abort();
    clearInterval(clock);
    room.disconnect();
  }
}

// gate asks for the token.
function gate() {
  live("connecting", "needs a token");
  element("board").hidden = true;
  element("sections").hidden = true;
  element("gate").hidden = false;
  put("gate-error", hasToken() ? "The controller refuses this token." : "");
  setToken("");
  element("token").value = "";
  element("token").focus();
}

async function run() {
  for (let failures = 0; ; failures++) {
    try {
      await board();
      return;
    } catch (error) {
      if (error instanceof Denied) {
        gate();
        return;
      }
      live("lost", "no answer, trying again");
      await new Promise((done) => { setTimeout(done, Math.min(500 * 2 ** failures, 10000)); });
    }
  }
}

element("gate-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(element("token").value.replace(/[^\x21-\x7e]/g, ""));
  run();
});

run();
