// Loaded before the program (--import): ends it by SIGKILL just before its n-th step on the disk, or counts the steps.
import { appendFileSync } from "node:fs";
import fs from "node:fs/promises";
import { createRequire } from "node:module";

const promises = createRequire(import.meta.url)("node:fs/promises");
const { LCOPS_TEST_KILL_AT: killAt, LCOPS_TEST_STEPS: log } = process.env;
let steps = 0;

function step(name) {
  steps++;
  if (log !== undefined) appendFileSync(log, `${name}\n`);
  if (killAt !== undefined && steps === Number(killAt)) process.kill(process.pid, "SIGKILL");
}

for (const name of ["link", "mkdir", "mkdtemp", "open", "rename", "rm", "rmdir"]) {
  const real = promises[name];
  const watched = (...args) => {
    step(name);
    return real(...args);
  };
  promises[name] = watched;
  fs[name] = watched;
}
const handle = await fs.open("/dev/null");
const prototype = Object.getPrototypeOf(handle);
await handle.close();
for (const name of ["sync", "writev"]) {
  const real = prototype[name];
  prototype[name] = function (...args) {
    step(name);
    return real.apply(this, args);
  };
}
