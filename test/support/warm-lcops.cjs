/**
 * Runs command lines of the built program one after another in one process, for tests that ask what a command does and
 * not how its process lives: a start costs a tenth of one. Each run has fresh modules and its own variables, and ends
 * when its event loop is empty, as a process would. `run-lcops.ts` sends `{words, environment, mark}`.
 */
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { Script } = require("node:vm");

const ROOT = path.join(__dirname, "../..");
const BUNDLE = path.join(ROOT, "dist");
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Chunk name → its compiled script, kept between runs. */
const scripts = new Map();

function compile(name) {
  const filename = path.join(BUNDLE, name);
  const source = `(function(exports,require,module,__filename,__dirname){${fs.readFileSync(filename, "utf8")}\n})`;
  const cache = path.join(BUNDLE, "code-cache", `${process.version}-${process.arch}`, name);
  // Only a name with a digest has code that surely is of this source, as in bin/load-bundle.js.
  const kept = /-[\w-]{8}\.cjs$/.test(name) && fs.existsSync(cache);
  return new Script(source, { filename, ...(kept && { cachedData: fs.readFileSync(cache) }) });
}

/** Returns a `require` for chunks of the bundle that evaluates each of them once. */
function makeLoader() {
  const modules = new Map();
  return function load(name) {
    const known = modules.get(name);
    if (known) return known.exports;
    if (!scripts.has(name)) scripts.set(name, compile(name));
    const module = { exports: {} };
    modules.set(name, module);
    const requireFrom = (id) => (/^\.\/.*\.cjs$/.test(id) ? load(id.slice(2)) : require(id));
    const filename = path.join(BUNDLE, name);
    scripts.get(name).runInThisContext()(module.exports, requireFrom, module, filename, BUNDLE);
    return module.exports;
  };
}

/** Sockets and servers of the run, which the end of a process would close. */
const open = new Set();
for (const [prototype, method] of [
  [net.Socket.prototype, "connect"],
  [net.Server.prototype, "listen"],
]) {
  const original = prototype[method];
  prototype[method] = function track(...words) {
    open.add(this);
    this.once("close", () => open.delete(this));
    return original.apply(this, words);
  };
}

function closeLeftovers() {
  for (const handle of open) {
    if (handle instanceof net.Socket) handle.destroy();
    else handle.close();
  }
  open.clear();
  for (const name of SIGNALS) process.removeAllListeners(name);
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error");
}

/** Standard input, once a run has looked at it: no run after one that has read it could do so again. */
let looked;
const input = Object.getOwnPropertyDescriptor(process, "stdin");
Object.defineProperty(process, "stdin", {
  ...input,
  get() {
    looked ??= input.get.call(process);
    return looked;
  },
});
const isInputSpent = () => looked?.readableDidRead === true || looked?.destroyed === true;

process.title = "warm-lcops";
let run;

process.on("message", ({ words, environment, mark }) => {
  // From here on nothing but the run itself keeps this process alive.
  process.channel.unref();
  run = { code: 1, mark };
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  process.argv = [process.execPath, path.join(ROOT, "bin/lcops.js"), ...words];
  const mine = run;
  void makeLoader()("main.cjs")
    .main(words)
    .then((code) => {
      mine.code = code;
    });
});

// The event loop is empty: here a process of its own would end.
process.on("beforeExit", () => {
  if (!run) return;
  const { code, mark } = run;
  run = undefined;
  if (!process.connected) return;
  process.channel.ref();
  closeLeftovers();
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.send({ code, isSpent: isInputSpent() });
});
// The tests have ended: so does this process, and a run that is under way as by a stop, so that it leaves no child behind.
process.on("disconnect", () => {
  if (run) process.kill(process.pid, "SIGTERM");
  else process.exit();
});
