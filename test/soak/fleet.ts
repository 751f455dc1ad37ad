import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { dropState, readState, resetHost, setState, writePrograms } from "../lab/fleet-programs.ts";
import { startRelay } from "../lab/relay.ts";
import { makeFleetGround } from "../support/fleet-ground.ts";

/**
 * Given how often (30), upgrade a host whose link is cut at a random moment, and go on with `--resume` where that did not see the end. Throws where
 * the upgrade was begun twice, was not done in the end, or was told to be done and was not.
 */
export async function soakFleet(cuts = 30): Promise<string> {
  const ground = await makeFleetGround({
    names: ["api-1"],
    variables: ({ folder }) => writePrograms(folder),
  });
  try {
    const [host] = ground.hosts;
    if (!host) throw new Error("there is a host");
    const { folder, sshd } = host;
    const relay = await startRelay({ host: sshd.address, port: sshd.port });
    ground.ground.onStop(relay.close);
    ground.reachAt(host, relay.port);
    ground.configure((config) => (config.fleet = { soakSeconds: 0, upgradeMinutes: 1 }));
    let before = 0;
    let resumed = 0;
    for (let cut = 0; cut < cuts; cut++) {
      resetHost(folder);
      setState(folder, "slow");
      const running = ground.start("fleet", "upgrade", "api-1", "--yes");
      await wait(randomInt(100, 2_500));
      relay.refuse(true);
      relay.cut();
      await wait(randomInt(0, 500));
      relay.refuse(false);
      dropState(folder, "slow");
      const { code, stderr } = await running.ended;
      const begun = (): number => readState(folder, "begun").split("\n").filter(Boolean).length;
      const isDone = (): boolean => readState(folder, "installed") !== "";
      if (code === 0 && !isDone()) throw new Error("it was told to be done, and was not");
      if (begun() > 1) throw new Error(`it was begun ${begun()} times: ${stderr}`);
      // What may have been begun is for --resume alone to find out.
      const isUnknown = /unknown|under way/.test(stderr);
      if (begun() === 0 && !isUnknown) {
        // The cut came before anything was done.
        before++;
        const again = await ground.lcops("fleet", "upgrade", "api-1", "--yes");
        if (again.code !== 0) throw new Error(`the next one ended with ${again.code}`);
      } else if (code !== 0) {
        resumed++;
        const again = await ground.lcops("fleet", "upgrade", "--resume", "--yes");
        if (again.code !== 0) throw new Error(`resumed with ${again.code}: ${again.stderr}`);
      }
      if (!isDone() || begun() !== 1) throw new Error(`begun ${begun()} times, done: ${isDone()}`);
    }
    return `${cuts} cuts, ${before} before anything was begun, ${resumed} gone on with by --resume: each upgrade begun once, and done`;
  } finally {
    await ground.stop();
  }
}
