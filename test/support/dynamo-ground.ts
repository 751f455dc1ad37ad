/** Tables that a test file has of its own: an emulator, or whatever answers in its place, behind two profiles of two accounts. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { JournalEntry } from "../../src/system/journal.ts";
import { askDynamoDb } from "../lab/ask-dynamodb.ts";
import { ACCOUNTS, makeAwsGround, type AwsGround, type KEYS } from "./aws-ground.ts";

const REGION = "us-west-2";

export interface DynamoGround extends AwsGround {
  url: string;
  /** Gives the profiles other access keys. */
  writeKeys: (keys: Partial<typeof KEYS>) => void;
  /** A call of the service, past lcops. */
  ask: <T = Record<string, never>>(operation: string, request: object) => Promise<T>;
  /** Makes a table of a hash key `id`, with a range key `at` where wished, and returns its name, which no other test has. */
  makeTable: (range?: "N" | "S") => Promise<string>;
  put: (table: string, item: object) => Promise<void>;
  get: (table: string, key: object) => Promise<Record<string, unknown> | undefined>;
  journal: () => JournalEntry[];
  /** Files below the state folder. */
  stateFiles: (folder: string) => string[];
}

/** Makes a ground on the address at which DynamoDB, or something in its place, answers; `close` ends that with the ground. */
export async function makeDynamoGround({
  url,
  close = async () => undefined,
}: {
  url: string;
  close?: () => Promise<void>;
}): Promise<DynamoGround> {
  const ground = await makeAwsGround();
  const writeKeys: DynamoGround["writeKeys"] = (keys) =>
    ground.writeProfiles(
      keys,
      `services = tables\n\n[services tables]\ndynamodb =\n  endpoint_url = ${url}\n`,
    );
  writeKeys({});
  ground.configure((config) => {
    config.defaultEnvironment = "dev";
    config.environments = {
      dev: {
        production: false,
        aws: { profile: "dev", account: ACCOUNTS.dev, regions: [REGION] },
      },
      prod: {
        production: true,
        aws: { profile: "prod", account: ACCOUNTS.prod, regions: [REGION] },
      },
    };
  });
  const ask: DynamoGround["ask"] = (operation, request) =>
    askDynamoDb({ endpointUrl: url, region: REGION }, operation, request);
  const state = path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops");
  return {
    ...ground,
    url,
    writeKeys,
    ask,
    makeTable: async (range) => {
      const name = `table-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
      await ask("CreateTable", {
        TableName: name,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: "id", KeyType: "HASH" },
          ...(range ? [{ AttributeName: "at", KeyType: "RANGE" }] : []),
        ],
        AttributeDefinitions: [
          { AttributeName: "id", AttributeType: "S" },
          ...(range ? [{ AttributeName: "at", AttributeType: range }] : []),
        ],
      });
      // Made is not yet usable: until it is active the emulators know no such table.
      const described = { TableName: name };
      while (
        (await ask<{ Table: { TableStatus: string } }>("DescribeTable", described)).Table
          .TableStatus !== "ACTIVE"
      );
      return name;
    },
    put: async (table, item) => {
      await ask("PutItem", { TableName: table, Item: item });
    },
    get: async (table, key) => {
      const request = { TableName: table, Key: key, ConsistentRead: true };
      return (await ask<{ Item?: Record<string, unknown> }>("GetItem", request)).Item;
    },
    journal: () =>
      readFileSync(path.join(state, "journal.ndjson"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as JournalEntry),
    stateFiles: (folder) => {
      try {
        return readdirSync(path.join(state, folder)).map((file) => path.join(state, folder, file));
      } catch {
        return [];
      }
    },
    remove: async () => {
      await ground.remove();
      await close();
    },
  };
}
