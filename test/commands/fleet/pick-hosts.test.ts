import { describe, expect, test } from "vitest";
import { pickHosts } from "../../../src/commands/fleet/pick-hosts.ts";
import { pickEstate } from "../../../src/commands/fleet/plan-hosts.ts";
import type { Host } from "../../../src/inventory/host.ts";
import type { Inventory } from "../../../src/inventory/load-inventory.ts";
import { OperatorError } from "../../../src/system/errors.ts";
import { makeFakeContext, tellFailure } from "../../support/fake-context.ts";

const host = (name: string, more: Partial<Host> = {}): Host => ({
  name,
  sources: ["ec2"],
  ...more,
});
const HOSTS = [
  host("web", { state: "running", instanceId: "i-1" }),
  host("web", { state: "running", instanceId: "i-2" }),
  host("old", { state: "stopped" }),
  host("new", { state: "pending" }),
  host("plain", { sources: ["config"] }),
  host("mine", { sources: ["ssh-config"] }),
];
const GAP = {
  error: new OperatorError("access", "eu-west-1: denied"),
  lost: "its hosts are missing",
  hidesInstances: true,
};

const fake = (gaps: Inventory["gaps"] = [], hosts = HOSTS) =>
  makeFakeContext({
    inventory: (freshness) => {
      // Work on hosts that are gone is none: AWS itself is asked.
      expect(freshness).toBe("refresh");
      return Promise.resolve({ hosts, gaps, notes: [], accounts: [] });
    },
  });
const pick = async (selectors: string[], gaps: Inventory["gaps"] = []): Promise<string[]> =>
  (await pickHosts(selectors, fake(gaps).context)).hosts.map(({ label }) => label);

describe("pickHosts", () => {
  test("picks those that run, and tells machines of one name apart", async () => {
    expect(await pick([])).toEqual(["web i-1", "web i-2", "plain", "mine"]);
    expect(await pick(["plain"])).toEqual(["plain"]);
  });

  test.each([
    ["old", "no host that runs matches old; --all lists those that do not, too"],
    ["nosuch", "no host matches nosuch; lcops hosts lists them"],
  ])("refuses %s", async (selector, said) => {
    expect(await tellFailure(() => pick([selector]))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });

  test("warns of what could not be seen, and refuses where nothing was", async () => {
    const { context, err } = fake([GAP]);
    expect((await pickHosts(["plain"], context)).isPartial).toBe(true);
    expect(err()).toBe("lcops: eu-west-1: denied; its hosts are missing; try again\n");
    expect(await tellFailure(() => pick(["nosuch"], [GAP]))).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "lcops: no host was found, and a part of AWS cannot be seen; mend what is named below, or leave it out with --region\n  eu-west-1: denied\n",
    });
  });

  test("may pick none of an earlier choice", async () => {
    const { context } = fake();
    expect((await pickHosts(["gone"], context, { isEarlier: true })).hosts).toEqual([]);
  });
});

describe("the estate", () => {
  const estate = async (selectors: string[], hosts = HOSTS): Promise<string[]> =>
    (await pickEstate(selectors, fake([], hosts).context)).hosts.map(({ label }) => label);

  test("is every host but what ~/.ssh/config alone knows, unless it is named", async () => {
    expect(await estate([])).toEqual(["web i-1", "web i-2", "plain"]);
    expect(await estate(["mine"])).toEqual(["mine"]);
  });

  test("that is empty is refused", async () => {
    expect(await tellFailure(() => estate([], HOSTS.slice(-1)))).toMatchObject({
      code: 2,
      stderr:
        "lcops: no host of the estate is there to be upgraded; see lcops hosts, or name what is meant\n",
    });
  });
});
