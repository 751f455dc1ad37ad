import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/lab/global-setup.ts"],
    reporters: ["default", "./test/summary-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The lab's servers need the other core.
    maxWorkers: 2,
    env: { TZ: "UTC", NO_COLOR: "1" },
  },
});
