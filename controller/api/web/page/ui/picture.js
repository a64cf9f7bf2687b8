// The cluster as a picture: ehc, the apps, their nodes and the links to them.

import { ago, cut, draw, number } from "./dom.js";

const ROW = 26; // height of a node
const HEAD = 44; // of an app's box, above its nodes
const GAP = 14;
const LETTER = 9; // the most that one of an app's name takes, about
const MOST = 10; // nodes of one app that are drawn: those in trouble first

// stateOf is how a node's link is drawn.
export function stateOf(node) {
  if (node.phase === "up") {
    return node.listed ? "up" : "idle";
  }
  return node.listed ? "down" : "idle";
}

// stopped says that something keeps a queue's events from their app: that they wait is
// nothing wrong.
export function stopped(queue) {
  return Boolean(queue.reason) && queue.reason !== "Waiting";
}

// groups are the nodes by app, in the order of the apps; those that no app claims
// come last.
function groups(status) {
  const byApp = new Map(status.apps.map((app) => [app.app, []]));
  for (const node of status.nodes) {
    if (!byApp.has(node.app)) {
      byApp.set(node.app, []);
    }
    byApp.get(node.app).push(node);
  }
  const order = { down: 0, idle: 1, up: 2 };
  return [...byApp].map(([app, nodes]) => {
    const sorted = [...nodes].sort((a, b) => order[stateOf(a)] - order[stateOf(b)] || (a.node < b.node ? -1 : 1));
    return { app, nodes: sorted.slice(0, MOST), all: nodes };
  });
}

// picture draws status into an element of a width in pixels. With room, ehc stands
// in the middle and the apps on both sides; with less, on the left; on a phone, above.
export function picture(into, status, width) {
  if (width < 200) {
    return; // not shown yet
  }
  const narrow = width < 620;
  const apps = groups(status);
  const queues = new Map(status.outbox.map((queue) => [queue.app, queue]));
  const sides = !narrow && apps.length > 1 && width >= 960;
  const left = narrow ? 34 : 210;
  const boxWidth = sides ? (width - 330) / 2 : width - left - 1;
  const tops = sides ? [1, 1] : [narrow ? 76 : 1];
  const boxes = apps.map((group) => {
    const column = tops.indexOf(Math.min(...tops));
    const more = group.all.length > group.nodes.length ? 1 : 0;
    const height = HEAD + Math.max(group.nodes.length + more, 1) * ROW + 8;
    const onLeft = sides && column === 0;
    const box = { group, onLeft, column, x: onLeft ? 1 : width - boxWidth - 1, y: tops[column], width: boxWidth, height };
    tops[column] += height + GAP;
    return box;
  });
  const height = Math.max(...tops, narrow ? 90 : 200) - GAP + 1;
  for (const box of boxes) { // the shorter side stands in the middle
    box.y += sides ? (height + GAP - 1 - tops[box.column]) / 2 : 0;
  }
  const hub = narrow ? { x: 34, y: 36 } : { x: sides ? width / 2 : 76, y: Math.min(height / 2 - 12, 300) };

  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": inWords(status) });
  const layers = { boxes: draw("g"), links: draw("g"), nodes: draw("g") };
  svg.append(layers.boxes, layers.links, layers.nodes);
  drawHub(layers.nodes, hub, status, narrow ? width : 0);
  for (const box of boxes) {
    drawBox(layers, hub, box, queues.get(box.group.app), status, narrow);
  }
  into.replaceChildren(svg);
}

// inWords is the picture for who does not see it.
function inWords(status) {
  const parts = groups(status).map(({ app, all }) => {
    const listed = all.filter((node) => node.listed);
    const up = listed.filter((node) => node.phase === "up").length;
    return `${app || "claimed by no app"}: ${up} of ${listed.length} listed nodes connected`;
  });
  return `ehc and its apps. ${parts.join("; ") || "No app is declared"}.`;
}

// drawHub draws ehc itself; with a width, for a phone of that.
function drawHub(svg, hub, status, width) {
  const narrow = width > 0;
  svg.append(
    draw("circle", { class: "hub-ring", cx: hub.x, cy: hub.y, r: narrow ? 32 : 52 }),
    draw("circle", { class: "hub", cx: hub.x, cy: hub.y, r: narrow ? 24 : 38 }),
    draw("text", { class: "hub-text", x: hub.x, y: hub.y + 5, "text-anchor": "middle" }, "ehc"),
  );
  const [name, host] = status.node.split("@");
  if (narrow) {
    svg.append(draw("text", { class: "mono", x: 78, y: hub.y + 4 }, cut(status.node, Math.floor((width - 80) / 7.6))));
    return;
  }
  svg.append(
    draw("text", { class: "mono", x: hub.x, y: hub.y + 72, "text-anchor": "middle" }, cut(name, 17)),
    draw("text", { class: "small", x: hub.x, y: hub.y + 88, "text-anchor": "middle" }, cut(host ?? "", 19)),
  );
}

function drawBox(layers, hub, box, queue, status, narrow) {
  const { boxes: svg, links, nodes } = layers;
  const { group, x, y, width, height } = box;
  const listed = group.all.filter((node) => node.listed);
  const up = listed.filter((node) => node.phase === "up").length;
  const suspended = (status.suspended ?? []).some((app) => app.app === group.app);
  const bad = group.app !== "" && !suspended && (up < listed.length || listed.length === 0);
  svg.append(draw("rect", { class: bad ? "box bad" : "box", x, y, width, height, rx: 9 }));
  const end = drawBadges(svg, x + width - 12, y + 4, queue);
  const app = group.app || "claimed by no app";
  svg.append(
    draw("text", { class: "name", x: x + 16, y: y + 20 }, cut(app, Math.floor((end - x - 16) / LETTER)), draw("title", {}, app)),
    draw("text", { class: "small", x: x + 16, y: y + 36 }, summary(group, up, listed.length, suspended)),
  );
  const from = narrow ? { x: 14, y: hub.y } : { x: hub.x + (box.onLeft ? -40 : 40), y: hub.y };
  group.nodes.forEach((node, i) => {
    const at = { x: box.onLeft ? x + width - 20 : x + 20, y: y + HEAD + i * ROW + 12 };
    const state = stateOf(node);
    links.append(draw("path", { class: `link ${state}`, d: curve(hub, from, at, narrow) }));
    if (state === "up" && queue && queue.pending > 0 && !stopped(queue)) {
      links.append(draw("path", { class: "link flow", d: curve(hub, from, at, narrow) }));
    }
    drawNode(nodes, node, state, at, box);
  });
  const more = group.all.length - group.nodes.length;
  if (more > 0) {
    svg.append(draw("text", { class: "small", x: x + (box.onLeft ? 16 : 36), y: y + HEAD + group.nodes.length * ROW + 16 }, `and ${number(more)} more, see the table`));
  }
  if (group.all.length === 0) {
    svg.append(draw("text", { class: "why idle", x: x + 16, y: y + HEAD + 16 }, "no node is listed"));
  }
}

function summary(group, up, listed, suspended) {
  const words = group.app === "" ? `${group.all.length} connected` : `${up} of ${listed} up`;
  return suspended ? `${words}, suspended` : words;
}

// curve leads from ehc to a node; where there is little room, along the edge.
function curve(hub, from, at, narrow) {
  if (narrow) {
    return `M ${hub.x - 20} ${hub.y + 14} C ${from.x} ${hub.y + 50}, ${from.x} ${at.y}, ${from.x} ${at.y - 8} Q ${from.x} ${at.y}, ${at.x - 8} ${at.y}`;
  }
  const way = at.x < from.x ? -1 : 1;
  const bend = way * Math.max(Math.abs(at.x - from.x) / 2, 30);
  return `M ${from.x} ${from.y} C ${from.x + bend} ${from.y}, ${at.x - bend} ${at.y}, ${at.x - way * 7} ${at.y}`;
}

function drawNode(svg, node, state, at, box) {
  const begin = box.onLeft ? box.x + 16 : at.x + 16;
  const end = box.onLeft ? at.x - 14 : box.x + box.width - 14;
  svg.append(draw("circle", { class: `dot ${state}`, cx: at.x, cy: at.y, r: 6 }));
  if (state === "down") {
    svg.append(draw("path", { class: "cross", d: `M ${at.x - 2.5} ${at.y - 2.5} l 5 5 m 0 -5 l -5 5` }));
  }
  const why = wordsOf(node, state);
  const letters = Math.floor((end - begin) / 7.6);
  const forWhy = Math.min([...why].length, Math.max(Math.floor(letters * 0.42), 14));
  svg.append(
    draw("text", { class: "mono", x: begin, y: at.y + 4 }, shorten(node.node, letters - forWhy - 2), draw("title", {}, node.node)),
    draw("text", { class: state === "down" ? "why" : "why idle", x: end, y: at.y + 4, "text-anchor": "end" }, cut(why, forWhy)),
  );
}

// shorten leaves out the host before it cuts the name.
function shorten(node, most) {
  const [name] = node.split("@");
  return node.length > most && name.length + 2 <= most && name !== "" ? `${name}@…` : cut(node, most);
}

function wordsOf(node, state) {
  if (state === "down") {
    return node.reason || "not connected";
  }
  if (state === "idle") {
    return node.phase === "up" ? (node.app ? "unlisted" : "not ours") : "gone";
  }
  return node.otp_release ? `OTP ${node.otp_release}` : `since ${ago(node.since)}`;
}

// drawBadges tells of what waits for an app, and of what died. It returns where the
// room to the left of them ends.
function drawBadges(svg, right, y, queue) {
  for (const [count, word, kind] of [[queue?.dead ?? 0, "dead", "dead"], [queue?.pending ?? 0, "waiting", ""]]) {
    if (count === 0) {
      continue;
    }
    const text = `${number(count)} ${word}`;
    const width = text.length * 6.9 + 14;
    right -= width;
    svg.append(
      draw("rect", { class: `badge ${kind}`, x: right, y, width, height: 20, rx: 10 }),
      draw("text", { class: `badge-text ${kind}`, x: right + width / 2, y: y + 14, "text-anchor": "middle" }, text),
    );
    right -= 6;
  }
  return right;
}
