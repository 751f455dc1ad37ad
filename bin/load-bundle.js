"use strict";

const fs = require("node:fs");
const { dirname, join } = require("node:path");
const { Script } = require("node:vm");

const BUNDLE = join(__dirname, "..", "dist");
// What V8 made of a chunk is for one version of V8 on one kind of processor.
const CODE_CACHE = join(BUNDLE, "code-cache", `${process.version}-${process.arch}`);

/** The digest of the content that a chunk has in its name: code that was kept under it is of no other source. */
const DIGEST = /-[\w-]{8}\.cjs$/;

/** Name of a chunk → its module and its script. */
const loaded = new Map();

/**
 * Given the name of a chunk of the bundle, load it as `require` would and return what it exports. The build has kept V8's code of it:
 * compiling anew would cost a quarter of a start. Node can do that by itself from 22.8 on (`module.enableCompileCache`).
 */
function loadBundle(name) {
  const known = loaded.get(name);
  if (known) return known.module.exports;
  const filename = join(BUNDLE, name);
  const source = fs.readFileSync(filename, "utf8");
  const wrapped = `(function(exports,require,module,__filename,__dirname){${source}\n})`;
  const script = new Script(wrapped, { filename, cachedData: readCode(name) });
  const module = { exports: {} };
  loaded.set(name, { module, script });
  const requireFrom = (id) => (/^\.\/.*\.cjs$/.test(id) ? loadBundle(id.slice(2)) : require(id));
  script.runInThisContext()(module.exports, requireFrom, module, filename, dirname(filename));
  return module.exports;
}

function readCode(name) {
  if (!DIGEST.test(name)) return undefined;
  try {
    return fs.readFileSync(join(CODE_CACHE, name));
  } catch {
    // Not built with this Node: V8 compiles.
    return undefined;
  }
}

/** For the build: keep V8's code of what has been loaded, with the functions that have run. */
function saveCode() {
  // V8 crashes on code that is torn: the folder has its name once all of it is on the disk.
  const unfinished = `${CODE_CACHE}.unfinished`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.mkdirSync(unfinished, { recursive: true });
  for (const [name, { script }] of loaded) {
    if (!DIGEST.test(name)) continue;
    const file = fs.openSync(join(unfinished, name), "w");
    fs.writeFileSync(file, script.createCachedData());
    fs.fsyncSync(file);
    fs.closeSync(file);
  }
  fs.rmSync(CODE_CACHE, { recursive: true, force: true });
  fs.renameSync(unfinished, CODE_CACHE);
}

module.exports = { loadBundle, saveCode };
