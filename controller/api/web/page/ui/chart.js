// The outbox over time: how much waited while this page was open, and what the
// history says happened meanwhile.

import { draw, number } from "./dom.js";

const SPAN = 15 * 60 * 1000; // milliseconds shown
const STEP = 2000; // least time between two samples
const samples = []; // {at, waiting}, oldest first
const marks = new Map(); // id → {at, warn}

// sample notes how much waits, in all apps together.
export function sample(status) {
  const waiting = status.outbox.reduce((sum, queue) => sum + queue.pending, 0);
  const now = Date.now();
  const last = samples.at(-1);
  const before = samples.at(-2);
  if (last && before && last.at - before.at < STEP && last.waiting === waiting) {
    last.at = now;
  } else {
    samples.push({ at: now, waiting });
  }
  while (samples.length > 2 && samples[1].at < now - SPAN) {
    samples.shift();
  }
}

// mark notes an entry of the history that a queue's curve may tell of.
export function mark(entry) {
  const warn = { Buffering: true, DrainFailed: true, DeadLetter: true, Drained: false }[entry.kind];
  if (warn !== undefined) {
    marks.set(entry.id, { at: new Date(entry.at).getTime(), warn });
  }
  for (const [id, one] of marks) {
    if (one.at < Date.now() - SPAN) {
      marks.delete(id);
    }
  }
}

// chart draws them into an element of a width in pixels.
export function chart(into, width) {
  if (width < 200) {
    return; // not shown yet
  }
  const height = 150;
  const box = { left: 46, right: width - 4, top: 10, bottom: height - 22 };
  const now = Date.now();
  const begin = now - SPAN;
  const most = nice(Math.max(...samples.map((one) => one.waiting), 4));
  const x = (at) => box.left + (box.right - box.left) * Math.max(at - begin, 0) / SPAN;
  const y = (n) => box.bottom - (box.bottom - box.top) * n / most;

  const waiting = samples.at(-1)?.waiting ?? 0;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${number(waiting)} events wait now; the most in the last 15 minutes on this page was ${number(Math.max(0, ...samples.map((one) => one.waiting)))}.` });
  for (const part of [0, 0.5, 1]) {
    const n = most * part;
    svg.append(
      draw("line", { class: "grid", x1: box.left, x2: box.right, y1: y(n), y2: y(n) }),
      draw("text", { x: box.left - 6, y: y(n) + 4, "text-anchor": "end" }, number(n)),
    );
  }
  for (const minutes of [15, 10, 5, 0]) {
    const at = x(now - minutes * 60000);
    svg.append(draw("text", { x: at, y: height - 5, "text-anchor": minutes === 15 ? "start" : minutes ? "middle" : "end" }, minutes ? `−${minutes} min` : "now"));
  }
  for (const one of marks.values()) {
    if (one.at >= begin) {
      svg.append(draw("line", { class: one.warn ? "mark warn" : "mark", x1: x(one.at), x2: x(one.at), y1: box.top, y2: box.bottom }));
    }
  }
  if (samples.length > 0) {
    const points = steps(samples, now).map(([at, n]) => `${x(at).toFixed(1)} ${y(n).toFixed(1)}`);
    svg.append(
      draw("path", { class: "area", d: `M ${points.join(" L ")} L ${box.right} ${box.bottom} L ${x(samples[0].at).toFixed(1)} ${box.bottom} Z` }),
      draw("path", { class: "line", d: `M ${points.join(" L ")}` }),
    );
  }
  into.replaceChildren(svg);
}

// steps are the corners of the curve: a number holds until the next one is known.
function steps(all, now) {
  const points = [];
  all.forEach((one, i) => {
    if (i > 0) {
      points.push([one.at, all[i - 1].waiting]);
    }
    points.push([one.at, one.waiting]);
  });
  points.push([now, all.at(-1).waiting]);
  return points;
}

// nice is a round number that is not less than n.
function nice(n) {
  const ten = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 4, 5, 10].map((one) => one * ten).find((one) => one >= n && one % 2 === 0) ?? 10 * ten;
}
