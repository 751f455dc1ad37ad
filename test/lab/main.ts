/** `npm run lab`: starts the lab, says how to use it, and stops it on Ctrl-C. */
import { startLab } from "./start-lab.ts";
import { summarizeParts } from "./parts.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => ending.abort(new Error("stopped")));

// Nobody reads any more: stop as if asked to.
process.stdout.on("error", () => ending.abort(new Error("stopped")));

async function runLab(): Promise<void> {
  const begin = performance.now();
  const lab = await startLab({ ports: "familiar", log: say, signal: ending.signal });
  say(`\nThe lab runs, ${((performance.now() - begin) / 1_000).toFixed(1)} s after its start:\n`);
  for (const line of summarizeParts(lab.parts)) say(`  ${line}`);
  say(`
To use it, in another terminal:

  export LCOPS_CONFIG=${lab.configPath}
  export AWS_CONFIG_FILE=${lab.environment["AWS_CONFIG_FILE"]}
  export AWS_SHARED_CREDENTIALS_FILE=${lab.environment["AWS_SHARED_CREDENTIALS_FILE"]}
  npx lcops                                    the menu
  npx lcops hosts                              its machines
  ssh -F ${lab.sshConfigFile} db-admin   one of them, through the bastion

Logs are in ${lab.folder}/log. Ctrl-C stops everything.`);
  // Something must keep this process alive when every server is a process of its own.
  const alive = setInterval(() => {}, 60_000);
  if (!ending.signal.aborted)
    await new Promise((resolve) => {
      ending.signal.addEventListener("abort", resolve, { once: true });
    });
  clearInterval(alive);
  say("\nlab: stopping");
  await lab.stop();
}

runLab().catch((error: unknown) => {
  if (ending.signal.aborted) return;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
