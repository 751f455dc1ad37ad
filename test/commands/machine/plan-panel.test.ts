import { expect, test } from "vitest";
import { planPanel } from "../../../src/commands/machine/plan-panel.ts";

test("offers what the old script did, and no update without repositories", () => {
  const draw = planPanel({}).flatMap(({ title, choices }) => [
    title,
    ...choices.map(({ key, label }) => `${key}) ${label}`),
  ]);
  expect(draw).toEqual([
    "Launch Jmeter:",
    "ja) API",
    "jw) WorkerStats",
    "Launch APP:",
    "app) http://localhost:9000/",
  ]);
});

test("offers one update of all repositories", () => {
  const workstation = {
    launches: {},
    repositories: { app: { folder: "/a" }, api: { folder: "/b" } },
  };
  expect(planPanel({ workstation })).toEqual([
    {
      title: "Update repos:",
      choices: [{ key: "repo", label: "app+api", run: ["machine", "update"] }],
    },
  ]);
});

test("names the command line of each choice, and shows no control character", () => {
  const app = {
    kind: "app" as const,
    run: ["true"],
    url: "http://a/",
    key: "go",
    title: "The \u001b[2Japp",
  };
  expect(planPanel({ workstation: { launches: { app } } })).toEqual([
    {
      title: "Launch APP:",
      choices: [{ key: "go", label: "The \\x1b[2Japp", run: ["machine", "launch", "app"] }],
    },
  ]);
});
