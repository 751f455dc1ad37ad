import { defineConfig } from "vitest/config";

/** What both projects have; see CONTRIBUTING.md. */
const common = {
  testTimeout: 30_000,
  hookTimeout: 60_000,
  env: {
    TZ: "UTC",
    NO_COLOR: "1",
    // The note of the SDK on its next Node version, in every worker that speaks to an emulator.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  },
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/summary-reporter.ts"],
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.lab.test.ts"],
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "lab",
          include: ["test/**/*.lab.test.ts"],
          globalSetup: ["test/lab/global-setup.ts"],
          setupFiles: ["test/support/begin-lab-file.ts"],
          isolate: false,
          // They wait for servers more than they compute.
          maxWorkers: 6,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
