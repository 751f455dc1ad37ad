/** One small chunk for what every command needs, the rest by `import()`; `module` first, since the packages' ES modules can be shaken. */
export default {
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  // ssh2's optional native parts: it does without them.
  external: [/\.node$/, 'cpu-features'],
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    cleanDir: true,
    minify: true,
  },
};
