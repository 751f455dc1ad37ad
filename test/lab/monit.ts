/** Monit, the watchman of a host. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabMonit } from "./lab.ts";
import { startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { fetchBody } from "./ready.ts";

const ADDRESS = "127.0.0.1";
const USER = "admin";

/** Without an alert line and a mail server Monit tells nobody. */
function monitrc(
  folder: string,
  name: string,
  port: number,
  password: string,
  sshdPidFile: string,
): string {
  return [
    "set daemon 1",
    `set logfile ${folder}/monit.log`,
    `set pidfile ${folder}/monit.pid`,
    `set idfile ${folder}/monit.id`,
    `set statefile ${folder}/monit.state`,
    `set httpd port ${port} and use address ${ADDRESS}`,
    `  allow ${USER}:"${password}"`,
    `check system ${name}`,
    '  if loadavg (5min) > 1000 then exec "/bin/true"',
    `check process sshd with pidfile ${sshdPidFile}`,
    "check filesystem root with path /",
    "",
  ].join("\n");
}

/** Takes a host's name; starts its Monit and returns it once it reports all that it watches. */
export async function startMonit(lab: LabContext, hostName: string): Promise<LabMonit> {
  const folder = path.join(lab.folder, "monit", hostName);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const passwordFile = path.join(lab.folder, "secrets", `monit-${hostName}`);
  const password = randomBytes(15).toString("base64url");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const port = await lab.pickPort(ADDRESS);
  const controlFile = path.join(folder, "monitrc");
  const sshdPidFile = path.join(lab.folder, "hosts", hostName, "sshd.pid");
  writeFileSync(controlFile, monitrc(folder, hostName, port, password, sshdPidFile), {
    mode: 0o600,
  });

  const authorization = `Basic ${Buffer.from(`${USER}:${password}`).toString("base64")}`;
  const server = await startServer(lab, {
    name: `monit-${hostName}`,
    command: "monit",
    args: ["-I", "-c", controlFile],
    folder,
    probe: async () => {
      const status = (
        await fetchBody(`http://${ADDRESS}:${port}/_status?format=xml`, { authorization })
      ).toString();
      for (const watched of [hostName, "sshd", "root"])
        if (!status.includes(`<name>${watched}</name>`))
          throw new Error(`it does not report ${watched} yet`);
    },
  });
  return { address: ADDRESS, port, user: USER, passwordFile, pid: server.pid };
}
