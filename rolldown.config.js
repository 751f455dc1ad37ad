/** commander loads it to start executables, which lcops has none of; it would cost every start 6 ms. */
const withoutChildProcess = {
  name: "commander-without-child-process",
  resolveId: (source, importer) =>
    source === "node:child_process" && importer?.includes("/commander/") ? "\0none" : undefined,
  load: (id) => (id === "\0none" ? "export default {};" : undefined),
};

/** One small chunk for what every command needs, the rest by `import()`; `module` first, since the packages' ES modules can be shaken. */
export default {
  input: { main: "src/cli/main.ts" },
  platform: "node",
  plugins: [withoutChildProcess],
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
  },
};
