"use strict";

const { mkdtempSync, readdirSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { loadBundle, saveCode } = require("./load-bundle.js");

const ROOT = join(__dirname, "..");

/** The last step of the build: run what is run most, unseen and in a home of its own, load all the rest, and keep V8's code of it. */
async function main() {
  const home = mkdtempSync(join(tmpdir(), "lcops-build-"));
  try {
    for (const name of Object.keys(process.env)) {
      if (/^(AWS|XDG|LCOPS)_/.test(name)) delete process.env[name];
    }
    process.env.HOME = home;
    process.env.LCOPS_CONFIG = join(ROOT, "lcops.config.example.json");
    process.stdout.write = process.stderr.write = () => true;
    for (const words of [["--help"], ["hosts"], ["hosts", "--json"]]) {
      await loadBundle("main.cjs").main(words);
    }
    for (const name of readdirSync(join(ROOT, "dist"))) {
      if (name.endsWith(".cjs")) loadBundle(name);
    }
    saveCode();
  } finally {
    delete process.stdout.write;
    delete process.stderr.write;
    rmSync(home, { recursive: true, force: true });
  }
}

void main();
