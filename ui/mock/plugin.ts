// Puts the mock API in front of Vite's dev and preview servers, under the policy that the real server sends.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Connect, Plugin } from "vite";
import { MockApi } from "./handler.ts";
import { startLife } from "./life.ts";
import type { Mode } from "./world.ts";

/** What the console needs, and nothing more. */
export const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

export function mockServer(): Plugin {
  const api = new MockApi((process.env["MOCK"] as Mode | undefined) ?? "failing");
  return {
    name: "holdfast-mock",
    configureServer(server) {
      server.httpServer?.once("close", startLife(() => api.world, api.emit));
      server.middlewares.use(middleware(api));
    },
    configurePreviewServer(server) {
      server.httpServer.once("close", startLife(() => api.world, api.emit));
      server.middlewares.use((_, response, next) => {
        response.setHeader("Content-Security-Policy", POLICY);
        next();
      });
      server.middlewares.use(middleware(api));
    },
  };
}

function middleware(api: MockApi): Connect.NextHandleFunction {
  return (incoming, outgoing, next) => {
    if (!/^\/(api\/v1|__mock|loki|jaeger)\//.test(incoming.url ?? "")) return next();
    void answer(api, incoming, outgoing);
  };
}

async function answer(api: MockApi, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const method = incoming.method ?? "GET";
  const response = await api.handle(
    new Request(`http://mock${incoming.url ?? "/"}`, {
      method,
      headers: incoming.headers as Record<string, string>,
      body: method === "GET" ? null : Buffer.concat(chunks),
    }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (!response.body) return void outgoing.end();
  const stream = Readable.fromWeb(response.body as import("node:stream/web").ReadableStream);
  outgoing.once("close", () => stream.destroy());
  stream.pipe(outgoing);
}
