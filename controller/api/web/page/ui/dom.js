// How elements are made. Nothing here, or anywhere in the page, takes HTML: what
// is shown was written by strangers, and only ever becomes text.

const SVG = "http://www.w3.org/2000/svg";

// make returns an element of HTML. A child is an element or a text.
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// draw returns an element of SVG.
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value);
    }
  }
  for (const child of children) {
    if (child !== undefined && child !== null && child !== "") {
      element.append(child); // a text becomes a text node
    }
  }
  return element;
}

// put has an element of the page show a text.
export function put(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) {
    element.textContent = text; // not always: a live region would say it again
  }
}

// list makes the children of parent those of items, in order. An item that is as
// it was keeps its element, and with it the focus and what is open in it.
export function list(parent, items, key, render) {
  const before = parent.kept ?? new Map();
  const kept = new Map();
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const text = JSON.stringify(item);
    let held = before.get(name);
    if (!held || held.text !== text) {
      held = { text, element: render(item) };
    }
    kept.set(name, held);
    if (held.element !== at) {
      parent.insertBefore(held.element, at);
    } else {
      at = at.nextElementSibling;
    }
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
  parent.kept = kept;
}

// when is a time for people: how long ago, with the whole of it as the title.
export function when(text) {
  if (!text) {
    return "";
  }
  const time = make("time", { datetime: text, title: new Date(text).toLocaleString() });
  time.textContent = ago(text);
  return time;
}

// ago is how long ago a time was, or how far ahead it is, in one unit.
export function ago(text) {
  const seconds = Math.round((Date.now() - new Date(text)) / 1000);
  if (Math.abs(seconds) < 2) {
    return "now";
  }
  const span = brief(Math.abs(seconds));
  return seconds < 0 ? `in ${span}` : `${span} ago`;
}

// brief is a number of seconds in the largest unit that says enough.
export function brief(seconds) {
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * size) {
      return `${Math.floor(seconds / size)} ${unit}`;
    }
  }
  return `${Math.round(seconds)} s`;
}

// tick brings every time on the page up to date.
export function tick() {
  for (const time of document.getElementsByTagName("time")) {
    const text = ago(time.dateTime);
    if (time.textContent !== text) {
      time.textContent = text;
    }
  }
}

export function number(n) {
  return n.toLocaleString("en");
}

// bytes is a size in the largest unit that says enough.
export function bytes(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (n >= size) {
      return `${(n / size).toFixed(1)} ${unit}`;
    }
  }
  return `${n} B`;
}

// cut shortens what is too long for a picture.
export function cut(text, most) {
  const letters = [...text];
  return letters.length > most ? letters.slice(0, Math.max(most - 1, 1)).join("") + "…" : text;
}
