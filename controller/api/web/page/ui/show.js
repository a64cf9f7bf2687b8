// What the sections say.

import { bytes, list, make, number, put, when } from "./dom.js";
import { stateOf, stopped } from "./picture.js";

const at = (id) => document.getElementById(id);

const events = (n) => `${number(n)} ${n === 1 ? "event" : "events"}`;

// problemsOf are what is not as it should be, the worst first.
export function problemsOf(status) {
  const found = [];
  const add = (state, subject, word, message) => found.push({ state, subject, word, message });
  if (status.config.error) {
    add("bad", "cluster.hcl", "ConfigBroken", `the file before it stays in force: ${status.config.error}`);
  }
  const suspended = new Set((status.suspended ?? []).map((app) => app.app));
  for (const app of status.apps) {
    for (const condition of app.conditions) {
      if (condition.status === "True") {
        continue;
      }
      const calm = suspended.has(app.app) || condition.status === "Unknown" || condition.type === "Drained" && condition.reason === "Waiting";
      add(calm ? "warn" : "bad", app.app, condition.reason, `${condition.type}: ${condition.message}`);
    }
  }
  for (const queue of status.outbox) {
    if (queue.dead > 0) {
      add("warn", queue.app, "DeadLetters", `${events(queue.dead)} could not be delivered`);
    }
  }
  for (const name of status.config.restart_required ?? []) {
    add("warn", name, "RestartRequired", "the file changes it, and it is fixed at start");
  }
  for (const warning of status.warnings ?? []) {
    add("warn", "ehc", "Warning", warning);
  }
  return found.sort((a, b) => (a.state === b.state ? 0 : a.state === "bad" ? -1 : 1));
}

export function verdict(status) {
  const problems = problemsOf(status);
  const bad = problems.filter((problem) => problem.state === "bad").length;
  const listed = status.nodes.filter((node) => node.listed);
  const up = listed.filter((node) => node.phase === "up").length;
  const waiting = status.outbox.reduce((sum, queue) => sum + queue.pending, 0);
  const facts = `${up} of ${listed.length} nodes up, ${waiting ? `${events(waiting)} ${waiting === 1 ? "waits" : "wait"}` : "nothing waits"}`;
  let text = `All is well: ${facts}`;
  if (bad) {
    text = `${bad === 1 ? "One thing is" : `${bad} things are`} wrong: ${facts}`;
  } else if (problems.length) {
    text = `Nothing is broken, and there is something to look at: ${facts}`;
  }
  put("verdict-title", text);
  at("verdict").dataset.state = bad ? "bad" : problems.length ? "warn" : "well";
  list(at("problems"), problems, (one) => `${one.subject} ${one.word} ${one.message}`, (one) =>
    make("li", {}, make("b", {}, one.subject), make("span", { class: `word ${one.state}` }, one.word), make("span", {}, one.message)));
}

const words = { up: ["up", "ok"], down: ["down", "bad"], idle: ["unlisted", ""] };

export function nodes(status) {
  list(at("nodes"), status.nodes, (node) => node.node, (node) => {
    const [word, kind] = words[stateOf(node)];
    return make("tr", {},
      make("td", { class: "mono" }, node.node),
      make("td", {}, node.app || "–"),
      make("td", {}, make("span", { class: `word ${kind}` }, node.phase === "up" && word !== "up" ? `up, ${word}` : word)),
      make("td", { class: "nowrap" }, when(node.since)),
      make("td", {}, node.otp_release ?? ""),
      make("td", {}, node.reason ? make("span", { class: "word bad" }, node.reason) : "", node.message && node.message !== node.reason ? ` ${node.message}` : ""));
  });
}

export function queues(status) {
  const rows = status.outbox.length ? status.outbox : [];
  list(at("queues"), rows, (queue) => queue.app, (queue) => make("tr", {},
    make("td", { class: "app" }, queue.app),
    make("td", { class: "number" }, number(queue.pending)),
    make("td", { class: "nowrap" }, when(queue.oldest)),
    make("td", { class: "number nowrap" }, bytes(queue.bytes)),
    make("td", { class: "number" }, number(queue.dead)),
    make("td", {}, stopped(queue)
      ? make("span", { class: "word bad", title: queue.message }, queue.reason)
      : make("span", { class: queue.pending ? "word warn" : "word ok" }, queue.pending ? "Waiting" : "Drained"))));
}

const signs = { prune: "−", connect: "+", resync: "~", drain: ">", held: "=" };

export function plan(answer) {
  const rows = [
    ...answer.actions.map((action) => ({ ...action })),
    ...answer.held.map((hold) => ({ ...hold, kind: "held" })),
    ...(answer.suspended ?? []).filter((app) => !answer.held.some((hold) => hold.app === app)).map((app) => ({ kind: "held", node: app, reason: "suspended: nothing is done to it" })),
  ];
  const held = answer.held.length;
  put("plan-summary", answer.actions.length || held
    ? `${number(answer.actions.length)} to do, ${number(held)} held; at index ${answer.index}`
    : `No changes: the cluster is as the file asks. At index ${answer.index}`);
  list(at("actions"), rows, (row) => `${row.kind} ${row.node} ${row.app ?? ""} ${row.reason}`, (row) =>
    make("li", { class: row.kind in signs ? row.kind : "" },
      make("span", { class: "sign", "aria-hidden": "true" }, signs[row.kind] ?? "·"),
      make("span", {}, row.kind),
      make("span", { class: "mono" }, row.node),
      make("span", { class: "reason" }, row.prune ? `${row.reason}; an apply that approves it would prune it` : row.reason)));
}

const MOST = 200; // entries of the history on the page
let entries = []; // the newest first

// happened adds entries, which may replace those that they repeat.
export function happened(more) {
  for (const entry of more) {
    entries = entries.filter((old) => !(old.kind === entry.kind && old.node === entry.node && old.app === entry.app &&
      old.reason === entry.reason && old.first_at === entry.first_at));
    entries.unshift(entry);
  }
  entries = entries.slice(0, MOST);
  at("events-empty").hidden = entries.length > 0;
  list(at("history"), entries, (entry) => entry.id, (entry) => make("li", {},
    when(entry.at),
    make("span", {}, make("span", { class: `word ${entry.warning ? "warn" : ""}` }, entry.kind)),
    make("span", { class: "what" },
      entry.reason && entry.reason !== entry.kind ? `${entry.reason} ` : "",
      entry.message && entry.message !== entry.reason ? `${entry.message} ` : "",
      make("span", { class: "mono" }, [entry.app, entry.node].filter(Boolean).join(" ")),
      entry.count > 1 ? make("span", { class: "times" }, ` ×${number(entry.count)}`) : "")));
}

export function letters(answer, all) {
  put("dead-summary", all === 0 ? "None: nothing has been given up." :
    `${number(all)} kept${all > answer.events.length ? `, the first ${number(answer.events.length)} here` : ""}. Mend the handler, then: ehc outbox retry.`);
  list(at("letters"), answer.events, (letter) => `${letter.app} ${letter.seq}`, (letter) => make("li", {},
    make("div", { class: "top" },
      make("span", { class: "word warn" }, letter.reason ?? ""),
      make("b", {}, letter.type),
      make("span", {}, `for ${letter.app}`),
      make("span", { class: "mono faint" }, letter.id),
      when(letter.died_at),
      make("span", { class: "faint" }, `${number(letter.tries ?? 0)} ${letter.tries === 1 ? "try" : "tries"}`)),
    make("details", {},
      make("summary", {}, "Error and payload"),
      make("pre", { tabindex: "0" }, letter.error ?? ""),
      make("pre", { tabindex: "0" }, JSON.stringify(letter.payload ?? {}, null, 2)))));
}
