import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import { runInProcess } from "../support/run-in-process.ts";

const CONFIG: Config = {
  menu: [
    {
      title: "EC2:",
      entries: [
        { key: "0", label: "MySQL", run: ["mysql", "it's"] },
        { key: "Rd", label: "Flush", run: ["redis", "flush", "dev", "--db"] },
      ],
    },
  ],
};

/** Takes a key of the menu, and returns the command line that it ran too. */
async function take(...words: string[]) {
  const ran: string[][] = [];
  const result = await runInProcess(["menu", ...words], {
    config: () => Promise.resolve(CONFIG),
    runLcops: (further) => {
      ran.push([...further]);
      return Promise.resolve(4);
    },
  });
  return { ...result, ran };
}

describe("a key of the menu", () => {
  test("runs its command line and has its code", async () => {
    expect(await take("0")).toMatchObject({ code: 4, ran: [["mysql", "it's"]], stderr: "" });
  });

  test("teaches the command line first", async () => {
    expect((await take("0", "-v")).stderr).toBe("$ lcops mysql 'it'\\''s'\n");
  });

  test("is found in either case", async () => {
    for (const key of ["rd", "RD"])
      expect((await take(key)).ran).toEqual([["redis", "flush", "dev", "--db"]]);
  });

  test.each([[["16"]], [["0", "1"]], [["0", "1", "2"]], [["r"]]])(
    "%j is none, and those that there are are named",
    async (words) => {
      const { code, stdout, stderr, ran } = await take(...words);
      expect({ code, stdout, ran }).toEqual({ code: 2, stdout: "", ran: [] });
      expect(stderr).toBe(`lcops: the menu has no key ${words.join(" ")}; its keys are 0 Rd\n`);
    },
  );

  test("is needed where there is no terminal", async () => {
    expect(await take()).toEqual({
      code: 2,
      stdout: "",
      stderr: "lcops: the menu needs a terminal; name a key: lcops menu KEY\n",
      ran: [],
    });
  });
});
