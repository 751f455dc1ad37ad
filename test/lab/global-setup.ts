/** For vitest: one lab for all test files, whose parts start when a file asks for them over a socket. */
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import type { TestProject } from "vitest/node";
import type { Part, PartName } from "./lab.ts";
import { summarizeParts } from "./parts.ts";
import { openLab } from "./start-lab.ts";

declare module "vitest" {
  // eslint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface ProvidedContext {
    lab: { parts: Part[]; socketPath: string };
  }
}

/** Takes the test project; opens the lab, of which nothing runs yet, provides the way to ask for parts, and returns what stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const lab = await openLab({ ports: "free", log: say });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let question = "";
    socket.setEncoding("utf8").on("error", () => {});
    socket.on("data", (words: string) => (question += words));
    socket.on("end", () => {
      lab.ask(JSON.parse(question) as PartName[]).then(
        (description) => socket.end(JSON.stringify({ description })),
        (error: unknown) => socket.end(JSON.stringify({ problem: String(error) })),
      );
    });
  });
  const socketPath = path.join(lab.folder, "lab.socket");
  server.listen(socketPath);
  await once(server, "listening");
  project.provide("lab", { parts: lab.parts, socketPath });
  for (const line of summarizeParts(lab.parts)) say(`lab: ${line}`);
  return async () => {
    server.close();
    await lab.stop();
  };
}
