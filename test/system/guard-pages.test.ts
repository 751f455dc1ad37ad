import { expect, test } from "vitest";
import { askPages, guardPages } from "../../src/system/guard-pages.ts";

interface Page {
  items: number[];
  next?: string;
}

async function readAll(pages: AsyncIterable<Page>): Promise<number[]> {
  const items: number[] = [];
  for await (const page of pages) items.push(...page.items);
  return items;
}

test("pages are asked one after the other, each with the token of the one before", async () => {
  const asked: (string | undefined)[] = [];
  const answers: Page[] = [{ items: [1, 2], next: "a" }, { items: [], next: "b" }, { items: [3] }];
  const pages = askPages(
    (token: string | undefined) => {
      asked.push(token);
      return Promise.resolve(answers[asked.length - 1] ?? { items: [] });
    },
    ({ next }) => next,
    "the list",
  );
  expect(await readAll(pages)).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, "a", "b"]);
});

test("an empty token ends the list", async () => {
  const pages = askPages(
    () => Promise.resolve<Page>({ items: [1], next: "" }),
    ({ next }) => next,
    "the list",
  );
  expect(await readAll(pages)).toEqual([1]);
});

test.each([
  ["comes back at once", ["a"]],
  ["comes back after others", ["a", "b", "c"]],
])("a token that %s is an error, and no further page is asked", async (_how, tokens) => {
  let asked = 0;
  const pages = askPages(
    () => Promise.resolve<Page>({ items: [asked], next: tokens[asked++ % tokens.length] ?? "" }),
    ({ next }) => next,
    "ec2:DescribeInstances in us-west-2",
  );
  await expect(readAll(pages)).rejects.toMatchObject({
    kind: "unreachable",
    message: "ec2:DescribeInstances in us-west-2 repeats a page for ever",
  });
  expect(asked).toBe(tokens.length + 1);
});

test("pages without an end are an error", async () => {
  async function* endless(): AsyncIterable<Page> {
    for (let number = 0; ; number++)
      yield await Promise.resolve({ items: [number], next: `token ${number}` });
  }
  await expect(readAll(guardPages(endless(), ({ next }) => next, "the list", 50))).rejects.toThrow(
    "the list has no end",
  );
});

test("tokens of several parts are the same where all parts are", async () => {
  const pages = askPages(
    (from: { key: string; upload: number } | undefined) =>
      Promise.resolve({ at: (from?.upload ?? 0) + 1 }),
    ({ at }) => (at < 4 ? { key: "same", upload: at } : undefined),
    "the list",
  );
  const seen: number[] = [];
  for await (const { at } of pages) seen.push(at);
  expect(seen).toEqual([1, 2, 3, 4]);
});
