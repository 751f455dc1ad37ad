import { describe, expect, test } from "vitest";
import { ask, proposeWishes } from "../../../src/commands/config/init.ts";
import type { Prompts } from "../../../src/terminal/prompts.ts";
import { tellFailure } from "../../support/fake-context.ts";
import { runInProcess } from "../../support/run-in-process.ts";

describe("the proposal without questions", () => {
  test("has the profiles of the same names, and their regions", () => {
    const profiles = [{ name: "default" }, { name: "prod", region: "eu-west-1" }, { name: "dev" }];
    expect(proposeWishes({ profiles, sshHosts: ["web"] })).toEqual({
      environments: [
        { name: "dev", production: false, profile: "dev" },
        { name: "prod", production: true, profile: "prod", regions: ["eu-west-1"] },
      ],
      hosts: ["web"],
    });
  });

  test("has no profile that has another name", () => {
    const { environments } = proposeWishes({ profiles: [{ name: "default" }], sshHosts: [] });
    expect(environments).toEqual([
      { name: "dev", production: false },
      { name: "prod", production: true },
    ]);
  });
});

/** Answers questions; `Enter` takes what a question proposes. Returns the answers, and what was asked. */
async function converse(
  answers: readonly string[],
  found: Parameters<typeof ask>[0] = { profiles: [], sshHosts: [] },
) {
  const asked: string[] = [];
  const left = [...answers];
  const next = (message: string): string => {
    asked.push(message);
    const answer = left.shift();
    if (answer === undefined) throw new Error(`nobody was to be asked: ${message}`);
    return answer;
  };
  const prompts: Prompts = {
    input: (message, initial = "") => {
      const answer = next(message);
      return Promise.resolve(answer === "Enter" ? initial : answer);
    },
    confirm: (message) => Promise.resolve(next(message) === "yes"),
    password: () => Promise.reject(new Error("it asks for no password")),
    choose: (message, choices) => {
      const answer = next(message);
      const chosen = answer === "Enter" ? choices[0] : choices.find(({ name }) => name === answer);
      if (!chosen) throw new Error(`there is no choice ${answer}`);
      return Promise.resolve(chosen.value);
    },
  };
  const wishes = await ask(found, { prompts: () => Promise.resolve(prompts) });
  expect(left).toEqual([]);
  return { wishes, asked };
}

describe("the questions", () => {
  test("guard what has no name of a test by a careless Enter", async () => {
    const names = "live,dev,qa,staging,Test-2,local,sandbox";
    const { wishes } = await converse([names, ...Array<string>(7).fill("Enter")]);
    expect(wishes.environments.map(({ name, production }) => [name, production])).toEqual([
      ["live", true],
      ["dev", false],
      ["qa", true],
      ["staging", false],
      ["Test-2", false],
      ["local", false],
      ["sandbox", false],
    ]);
  });

  test("propose the profile of the same name first, none else, and its region", async () => {
    const profiles = [{ name: "prod", region: "eu-west-1" }, { name: "other" }];
    const { wishes } = await converse(["prod,qa", "Enter", "Enter", "Enter", "no", "Enter"], {
      profiles,
      sshHosts: [],
    });
    expect(wishes.environments).toEqual([
      { name: "prod", production: true, profile: "prod", regions: ["eu-west-1"] },
      { name: "qa", production: false },
    ]);
  });

  test("take several regions, and the hosts only if they are wished", async () => {
    const found = { profiles: [{ name: "prod" }], sshHosts: ["web", "db"] };
    const answers = ["prod", "Enter", "Enter", " eu-west-1 , us-gov-west-1,"];
    const { wishes, asked } = await converse([...answers, "yes"], found);
    expect(wishes.environments[0]?.regions).toEqual(["eu-west-1", "us-gov-west-1"]);
    expect(wishes.hosts).toEqual(["web", "db"]);
    expect(asked.at(-1)).toBe("Put the 2 hosts of the ssh configuration into the menu?");
    expect((await converse([...answers, "no"], found)).wishes.hosts).toEqual([]);
  });

  test.each([
    [["a b"], '"a b" is no name for an environment; use letters, digits, dot, dash and underscore'],
    [
      ["prod", "Enter", "Enter", "eu-west"],
      '"eu-west" is no region; name it as AWS does, e.g. eu-west-1',
    ],
  ])("refuse an invalid answer: %j", async (answers, said) => {
    const found = { profiles: [{ name: "prod" }], sshHosts: [] };
    expect(await tellFailure(() => converse(answers, found))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});

test("config init leaves an existing file as it is", async () => {
  const result = await runInProcess(["config", "init", "--yes"], { configPath: "/etc/hostname" });
  expect(result).toEqual({
    code: 5,
    stdout: "",
    stderr: "lcops: /etc/hostname exists already; edit it, or name another file with --config\n",
  });
});
