import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * commander would start executables, ssh-config the commands of `Match exec`: lcops has none of the first and forbids the second.
 * Loading the module for them would cost every start 6 ms.
 */
const withoutChildProcess = {
  name: "without-child-process",
  resolveId: (source, importer) => {
    const owner = /\/(commander|ssh-config)\//.exec(importer ?? "")?.[1];
    // A name for each, or the two would share a chunk.
    return source === "node:child_process" && owner ? `\0none-${owner}` : undefined;
  },
  load: (id) =>
    id.startsWith("\0none-")
      ? 'export const spawnSync = () => ({ status: 1, stderr: "" });'
      : undefined,
};

/** chalk would find out about colours by itself, and load `node:tty` for it: terminal/terminal.ts decides. */
const withoutColourSupport = {
  name: "without-colour-support",
  resolveId: (source) => (source === "#supports-color" ? "\0no-colour-support" : undefined),
  load: (id) =>
    id === "\0no-colour-support" ? "export default { stdout: false, stderr: false };" : undefined,
};

/** The bundle carries other people's code, so it carries their licences. */
const thirdPartyLicences = {
  name: "third-party-licences",
  generateBundle(_options, bundle) {
    const folders = Object.values(bundle)
      .flatMap((chunk) => chunk.moduleIds ?? [])
      .flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
    // Text → the packages that it is for: dozens share one to the letter.
    const texts = new Map();
    for (const folder of [...new Set(folders)].sort()) {
      const { name, version, license } = JSON.parse(
        readFileSync(join(folder, "package.json"), "utf8"),
      );
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file
        ? readFileSync(join(folder, file), "utf8").trim()
        : "It has no file with its text.";
      texts.set(text, [...(texts.get(text) ?? []), `${name} ${version}, ${license}`]);
    }
    const source = [...texts]
      .map(([text, names]) => `${names.join("\n")}\n\n${text}\n`)
      .join("\n---\n\n");
    this.emitFile({ type: "asset", fileName: "THIRD-PARTY-LICENSES.txt", source });
  },
};

/** One small chunk for what every command needs, the rest by `import()`; `module` first, since the packages' ES modules can be shaken. */
export default {
  input: { main: "src/cli/main.ts" },
  platform: "node",
  plugins: [withoutChildProcess, withoutColourSupport, thirdPartyLicences],
  resolve: { mainFields: ["module", "main"] },
  // ssh2's optional native parts: it does without them.
  external: [/\.node$/, "cpu-features"],
  // Most modules are shared by several commands; where a dynamic import is not the only one is no news.
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: "dist",
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    cleanDir: true,
    minify: true,
    // Code that is kept beside the bundle has no `import()` (bin/load-bundle.js).
    dynamicImportInCjs: false,
    // What nearly every command loads, in one file: each further one costs a start half a millisecond.
    codeSplitting: {
      groups: [
        {
          name: "base",
          priority: 2,
          test: /src\/(?:cli\/watch-output|system\/(?:errors|printable|quantities)|inventory\/host|commands\/quote-words)\.ts$|rolldown\/runtime/,
        },
        {
          name: "inventory",
          priority: 1,
          test: /src\/(cli\/run-command|commands\/plan-menu|tunnels\/describe-url|inventory\/(load-inventory|select-hosts)|terminal\/(table|progress))\.ts$/,
        },
      ],
    },
  },
};
