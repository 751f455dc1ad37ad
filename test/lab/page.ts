/** Stand-ins for servers that Debian does not have: a page each, since so far only the port matters. */
import { createServer } from "node:http";
import type { Endpoint } from "./lab.ts";
import type { LabContext } from "./process.ts";

type Page = { type: string; body: string; headers?: Record<string, string> };
export type PageName = "elasticsearch" | "kibana" | "jenkins";

const html = (title: string) =>
  `<!doctype html>\n<meta charset="utf-8">\n<title>${title}</title>\n<h1>${title}</h1>\n`;
const PAGES: Record<PageName, Page> = {
  elasticsearch: {
    type: "application/json; charset=UTF-8",
    body: JSON.stringify({
      name: "TextLogs",
      cluster_name: "textlogs",
      version: { number: "1.1.1", lucene_version: "4.7" },
      tagline: "You Know, for Search",
    }),
  },
  kibana: { type: "text/html", body: html("Kibana 3") },
  jenkins: {
    type: "text/html",
    body: html("Dashboard [Jenkins]"),
    headers: { "X-Jenkins": "1.565.1" },
  },
};

/** Takes a page's name; serves it at / on a free port of 127.0.0.1 until the lab stops, and returns where. */
export async function startPage(lab: LabContext, name: PageName): Promise<Endpoint> {
  const address = "127.0.0.1";
  const port = await lab.pickPort(address);
  const page = PAGES[name];
  const server = createServer((request, response) => {
    const found = new URL(request.url ?? "/", "http://page").pathname === "/";
    response.writeHead(found ? 200 : 404, {
      "Content-Type": found ? page.type : "text/plain",
      ...page.headers,
    });
    response.end(request.method === "HEAD" ? undefined : found ? page.body : "not found\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, resolve);
  });
  lab.closers.push(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  });
  return { address, port };
}
