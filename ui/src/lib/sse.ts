// Reads server-sent events from a fetch body. EventSource would hide heartbeats (so a dead connection looks alive),
// cannot see a 401, and delivers named events only to listeners that know every name beforehand.

export interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

/** A parser with memory: feed it text in any pieces, it hands back whole events and counts comments as life. */
export function createParser(onEvent: (event: ServerSentEvent) => void): (text: string) => void {
  let rest = "";
  let id = "";
  let event = "";
  let data: string[] = [];
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    // A chunk may end between \r and \n: the lone \n that follows must not count as an empty line.
    if (text.endsWith("\r")) {
      rest = `${lines.pop() ?? ""}\r`;
    }
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) onEvent({ id, event: event || "message", data: data.join("\n") });
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "id") id = value;
      else if (field === "event") event = value;
      else if (field === "data") data.push(value);
    }
  };
}

/** Full jitter between half and all of an exponential delay: 0.5 s up to 15 s. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(15_000, 500 * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + random() * (ceiling / 2);
}
