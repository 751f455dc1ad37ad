import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Backups,
  loadDriver,
  withBackups,
} from "../../../src/commands/backup/open-backups.ts";
import { makeFakeContext, tellFailure } from "../../support/fake-context.ts";
import { makeSetGround, type SetGround } from "../../support/set-ground.ts";

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
});
afterEach(() => ground.remove());

const use = <T>(work: (backups: Backups) => T | Promise<T>): Promise<T> =>
  withBackups(makeFakeContext(ground.members).context, async (backups) => work(backups));

describe("the jobs", () => {
  beforeEach(() => {
    const job = ground.config.backups?.jobs["graphite"];
    if (ground.config.backups && job)
      ground.config.backups.jobs = { graphite: job, second: job, third: job };
  });
  const pick = (...names: string[]): Promise<string[]> =>
    use((backups) => backups.pick(names).map(({ name }) => name));

  test("are all of them where none is named, and each once in the order of the words", async () => {
    expect(await pick()).toEqual(["graphite", "second", "third"]);
    expect(await pick("third", "graphite", "third")).toEqual(["third", "graphite"]);
  });

  test.each(["nosuch", "constructor", "", "graphite "])(
    "have none that is called %j",
    async (name) => {
      expect(await tellFailure(() => pick("graphite", name))).toEqual({
        code: 2,
        stdout: "",
        stderr: `lcops: there is no backup job ${name}; name one of graphite, second, third\n`,
      });
    },
  );
});

describe("a service", () => {
  beforeEach(() => {
    ground.config.hosts = { db: { environment: "prod" } };
    Object.assign(ground.config.services ?? {}, {
      school: { kind: "mysql", host: "db", port: 3306, environment: "dev" },
      loose: { kind: "mysql", address: "db.example", port: 3306 },
    });
  });

  test("belongs to the environment of its host, else to its own", async () => {
    expect(
      await use((backups) =>
        ["school", "graphite", "loose"].map((name) => backups.openPlace(name).environment),
      ),
    ).toEqual(["prod", "dev", undefined]);
  });

  test("is of production unless its environment is marked otherwise", async () => {
    expect(
      await use((backups) =>
        ["school", "graphite", "loose"].map((name) => backups.openPlace(name).isProduction),
      ),
    ).toEqual([true, false, true]);
  });

  test.each(["nosuch", "constructor", "__proto__"])(
    "that is called %s there is not",
    async (name) => {
      expect(await tellFailure(() => use((backups) => backups.openPlace(name)))).toEqual({
        code: 2,
        stdout: "",
        stderr: `lcops: there is no service ${name}; name one of graphite, school, loose\n`,
      });
    },
  );
});

test("sets go to the destinations of the job, to all where it names none", async () => {
  const names = (destinations?: ("server" | "operator")[]) =>
    use(async (backups) =>
      (await backups.stores({ service: "graphite", ...(destinations && { destinations }) })).map(
        ({ name, place }) => `${name} ${place}`,
      ),
    );
  expect(await names()).toEqual([
    `server ${ground.at("server")}`,
    `operator ${ground.at("operator")}`,
  ]);
  expect(await names(["operator"])).toEqual([`operator ${ground.at("operator")}`]);
});

test("a destination is opened once, whichever jobs have it", async () => {
  const [one, other] = await use(async (backups) => [
    await backups.stores({ service: "graphite" }),
    await backups.stores({ service: "graphite", destinations: ["server"] }),
  ]);
  expect(one?.[0]).toBe(other?.[0]);
});

test("without backups it is said how they are configured", async () => {
  delete ground.config.backups;
  const { code, stderr } = await tellFailure(() => use(() => 0));
  expect(code).toBe(2);
  expect(stderr).toMatch(/^lcops: no backups are configured; add a section backups /);
});

test("a kind of service that cannot be backed up is told by the name of its service", async () => {
  const page = { kind: "http", address: "page.example", port: 80 } as const;
  expect(await tellFailure(() => loadDriver(page, "page"))).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "lcops: page: a http service cannot be backed up yet; take its job out of backups.jobs\n",
  });
});
