import type { Table } from "../../src/services/dynamodb/describe-table.ts";

/** Returns a table with one key, changed as the test wants it. */
export const makeTable = (more: Partial<Table> = {}): Table => ({
  name: "users",
  arn: "arn:aws:dynamodb:us-west-2:111111111111:table/users",
  status: "ACTIVE",
  createdAt: 0,
  key: [{ name: "id", type: "S" }],
  items: 3,
  bytes: 81_920,
  indexes: [],
  replicas: [],
  ...more,
});
