import { describe, expect, test } from "vitest";
import type { Host } from "../../src/inventory/host.ts";
import type { Inventory } from "../../src/inventory/load-inventory.ts";
import { OperatorError } from "../../src/system/errors.ts";
import { PIPED } from "../support/fake-context.ts";
import { runInProcess } from "../support/run-in-process.ts";
import type { Setting } from "../terminal/fake-streams.ts";

const WEB: Host = {
  name: "web",
  sources: ["config", "ec2"],
  environment: "prod",
  role: "api",
  region: "eu-west-1",
  address: { dyn: { tags: { Name: "web" } } },
  publicAddress: "192.0.2.1",
  port: 2222,
  jump: ["bastion", "inner"],
  instanceId: "i-1",
  state: "running",
  fields: {
    role: { source: "ec2", at: "2026-01-31T02:00:00Z" },
    environment: { source: "config" },
  },
  conflicts: [{ field: "role", source: "opsworks", value: "worker" }],
};
const BARE: Host = { name: "bare", sources: ["ssh-config"], port: 22 };
const of = (name: string, state: string): Host => ({ name, sources: ["ec2"], state });

const hosts = (
  words: string[],
  inventory: Partial<Inventory> = {},
  setting: Setting = PIPED,
): ReturnType<typeof runInProcess> =>
  runInProcess(
    ["hosts", ...words],
    {
      inventory: (freshness) => {
        expect(freshness).toBe(words.includes("--refresh") ? "refresh" : "list");
        return Promise.resolve({ hosts: [], gaps: [], notes: [], accounts: [], ...inventory });
      },
    },
    setting,
  );

describe("hosts", () => {
  test("are a line each in a pipe, with the way there and when AWS was asked", async () => {
    expect(await hosts([], { hosts: [WEB, BARE] })).toEqual({
      code: 0,
      stdout:
        "web\tprod\tapi\teu-west-1\tdyn\t192.0.2.1:2222 via bastion, inner\tconfig+ec2\trunning\ti-1\t2026-01-31T02:00:00Z\n" +
        "bare\t\t\t\t\t\tssh-config\t\t\t\n",
      stderr: "",
    });
  });

  test("tell with -v where sources disagree", async () => {
    expect((await hosts(["-v"], { hosts: [WEB] })).stderr).toBe(
      "web: role is api by ec2, worker by opsworks\n",
    );
  });

  test("have every key in JSON, whatever is known", async () => {
    const { stdout } = await hosts(["--json"], { hosts: [BARE] });
    expect(JSON.parse(stdout)).toEqual({
      asOf: null,
      gaps: [],
      notes: [],
      hosts: [
        {
          name: "bare",
          environment: null,
          role: null,
          region: null,
          address: null,
          addressKind: null,
          publicAddress: null,
          privateAddress: null,
          port: 22,
          user: null,
          jump: [],
          instanceId: null,
          state: null,
          launchedAt: null,
          sources: ["ssh-config"],
          fields: {},
          conflicts: [],
        },
      ],
    });
  });

  test("that do not run are left out without --all, and told from those that there are not", async () => {
    const states = ["running", "pending", "stopping", "stopped", "terminated", "shutting-down"];
    const inventory = { hosts: [...states.map((state) => of(state, state)), BARE] };
    const names = async (...words: string[]): Promise<string[]> =>
      (await hosts(words, inventory)).stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t")[0] ?? "");
    expect(await names()).toEqual(["running", "pending", "stopping", "bare"]);
    expect(await names("--all", "--refresh")).toEqual([...states, "bare"]);
    expect(await hosts(["stopped"], inventory)).toEqual({
      code: 2,
      stdout: "",
      stderr: "lcops: no host that runs matches stopped; --all lists those that do not, too\n",
    });
  });

  test("that are not known are refused", async () => {
    const result = await hosts(["NOSUCH"], { hosts: [WEB] });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/no host matches NOSUCH; lcops hosts lists them/);
  });

  test("that could not be seen are named, and the code is 3", async () => {
    const error = new OperatorError("access", "eu-west-1: denied", { next: "have it allowed" });
    const gap = { error, lost: "its hosts are missing below", hidesInstances: true };
    const shown = { ...gap, error: new OperatorError("unreachable", "x"), shownFrom: "2026-01-31" };
    const result = await hosts(["NOSUCH"], { hosts: [WEB], gaps: [gap, shown] });
    expect(result).toEqual({
      code: 3,
      stdout: "",
      stderr:
        "lcops: eu-west-1: denied; its hosts are missing below; have it allowed\nlcops: x; shown as of 2026-01-31; try again\n",
    });
    const { stdout } = await hosts(["--json"], { gaps: [{ ...gap, region: "eu-west-1" }] });
    expect(JSON.parse(stdout)).toMatchObject({
      gaps: [
        {
          kind: "access",
          message: "eu-west-1: denied",
          next: "have it allowed",
          region: "eu-west-1",
          profile: null,
          shownFrom: null,
        },
      ],
    });
  });

  test("have a head on a screen, and one line that says how old the answer is", async () => {
    const asOf = new Date(Date.now() - 240_000).toISOString();
    const screen = { columns: 120, flags: { color: false } };
    const { stdout, stderr } = await hosts([], { hosts: [WEB], asOf }, screen);
    expect(stdout).toMatch(/^NAME +ENV +ROLE +REGION +KIND +ADDRESS +SOURCE +STATE +INSTANCE *\n/);
    expect(stderr).toContain("AWS as of 4 min ago; --refresh asks again");
  });
});
