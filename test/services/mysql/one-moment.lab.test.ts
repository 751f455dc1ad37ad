import { afterAll, beforeAll, expect, test } from "vitest";
import { ALL_MONEY, type Bank, startBank } from "../../support/scratch-bank.ts";

let bank: Bank | undefined;
beforeAll(async () => {
  bank = await startBank();
}, 60_000);
afterAll(() => bank?.close());

test("under writers all parts of a dump show one moment, and the counts are of that moment too", async (context) => {
  if (!bank) return context.skip("there is no mariadbd");
  for (let round = 0; round < 3; round++)
    expect(await bank.dump()).toMatchObject({ money: ALL_MONEY, wrong: [], level: "lock-synced" });
  // Else the above would hold of anything.
  let money = ALL_MONEY;
  for (let round = 0; round < 20 && money === ALL_MONEY; round++)
    money = await bank.dumpUnsynchronised();
  expect(money).not.toBe(ALL_MONEY);
}, 120_000);
