// How the page reads the API: by the token, if there is one, and again and again.

const STORE = "ehc-token";
const SILENCE = 40000; // milliseconds without a byte after which a connection counts as dead

// Denied says that the API wants a token, or another one.
export class Denied extends Error {}

let token = sessionStorage.getItem(STORE) ?? "";

// setToken keeps a token for as long as the tab is open.
export function setToken(text) {
  token = text;
  if (text) {
    sessionStorage.setItem(STORE, text);
  } else {
    sessionStorage.removeItem(STORE);
  }
}

export function hasToken() {
  return token !== "";
}

async function ask(path, signal) {
  const headers = {};
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  const answer = await fetch(path, { headers, signal, cache: "no-store", credentials: "same-origin" });
  if (answer.status === 401) {
    throw new Denied("the API wants a token");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail ?? `${path}: ${answer.status}`);
  }
  return answer;
}

// get reads JSON once. A controller that can no longer be reached may leave the
// connection open for ever.
export async function get(path, signal) {
  const limit = AbortSignal.timeout(SILENCE);
  return (await ask(path, signal ? AbortSignal.any([signal, limit]) : limit)).json();
}

// pause waits, or until signal.
export function pause(milliseconds, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
  });
}

// watch reads path whenever the controller's revision has changed, until signal.
// It gives each answer to show, and tells alive(false) while nothing comes.
export async function watch(path, signal, show, alive) {
  let revision = 0;
  let failures = 0;
  while (!signal.aborted) {
    const query = revision ? `${path.includes("?") ? "&" : "?"}revision=${revision}&wait=25s` : "";
    try {
      const answer = await get(path + query, signal);
      show(answer);
      alive(true);
      failures = 0;
      revision = answer.revision ?? 0;
      await pause(revision ? 400 : 2000, signal); // in a burst, not each change
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (error instanceof Denied) {
        throw error;
      }
      alive(false, error.message);
      revision = 0;
      await pause(Math.min(500 * 2 ** failures++, 10000), signal);
    }
  }
}

// follow reads Server-Sent Events from path, again when they end, until signal. It
// gives each message's data, read as JSON, to show. after is the id to begin behind.
export async function follow(path, after, signal, show) {
  let failures = 0;
  while (!signal.aborted) {
    const quiet = new AbortController();
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), SILENCE);
    };
    heard();
    try {
      const answer = await ask(after ? `${path}?after=${after}` : path, AbortSignal.any([signal, quiet.signal]));
      failures = 0;
      for await (const message of messages(answer.body, heard)) {
        after = message.id || after;
        if (message.event === "message") {
          show(JSON.parse(message.data));
        }
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (error instanceof Denied) {
        throw error;
      }
    } finally {
      clearTimeout(timer);
    }
    await pause(Math.min(1000 * 2 ** failures++, 10000), signal);
  }
}

// messages takes a stream apart, and tells heard of all that comes, heartbeats too.
// EventSource would do it, but sends no token.
async function* messages(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let message = { event: "message", data: [], id: "" };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      heard();
      text += value;
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines) {
        const [, field, , content] = /^([^:]*)(: ?(.*))?$/.exec(line) ?? [];
        if (line === "") {
          if (message.data.length > 0) {
            yield { ...message, data: message.data.join("\n") };
          }
          message = { event: "message", data: [], id: message.id };
        } else if (field === "data") {
          message.data.push(content ?? "");
        } else if (field === "event") {
          message.event = content;
        } else if (field === "id") {
          message.id = content;
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
