import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fetchPage } from "../demo/look.ts";
import { withTunnel } from "../demo/run-lcops.ts";
import { startLab } from "../lab/start-lab.ts";
import { LCOPS } from "../support/program.ts";

/**
 * Given how often (100), open a tunnel, fetch a page through it and stop it as Ctrl-C would; return what was seen.
 * Throws where one of them fails, or leaves a process, a record or a port behind.
 */
export async function soakTunnel(count = 100): Promise<string> {
  const lab = await startLab({ ports: "free", parts: ["kibana"] });
  try {
    const begin = performance.now();
    let url = "";
    for (let index = 0; index < count; index++) {
      await withTunnel(
        {
          lcops: LCOPS,
          environment: lab.environment,
          signal: AbortSignal.timeout(30_000),
          announce: () => undefined,
        },
        "kibana",
        async (found) => {
          url = found;
          const { status } = await fetchPage(new URL(url));
          if (status !== 200) throw new Error(`round ${index}: HTTP ${status}`);
        },
      );
      const left = await findPrograms(lab.environment["LCOPS_CONFIG"] ?? "");
      if (left.length > 0) throw new Error(`round ${index}: still running: ${left.join(", ")}`);
    }
    const isOpen = await fetchPage(new URL(url)).then(
      () => true,
      () => false,
    );
    if (isOpen) throw new Error(`${url} still answers`);
    const records = await readdir(join(lab.environment["XDG_STATE_HOME"] ?? "", "lcops/run"), {
      recursive: true,
    });
    const left = records.filter((file) => file.endsWith(".json"));
    if (left.length > 0) throw new Error(`records left behind: ${left.join(", ")}`);
    return `${count} tunnels opened, used and stopped, ${Math.round((performance.now() - begin) / count)} ms each; nothing left`;
  } finally {
    await lab.stop();
  }
}

/** Processes of lcops that were started with this configuration. */
async function findPrograms(configPath: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [line, environment] = await Promise.all(
        ["cmdline", "environ"].map((file) =>
          readFile(`/proc/${pid}/${file}`, "utf8").catch(() => ""),
        ),
      );
      const isOurs = line?.includes(LCOPS) && environment?.includes(`LCOPS_CONFIG=${configPath}`);
      return isOurs ? [pid] : [];
    }),
  );
  return found.flat();
}
