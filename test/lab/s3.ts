/** The lab's S3: versitygw where it was built, else moto's, else an emulator from npm. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { LAB_ACCOUNTS } from "./aws-files.ts";
import type { LabAws, LabS3 } from "./lab.ts";
import { startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { S3_LIES } from "./s3-lies.ts";

const ADDRESS = "127.0.0.1";
const REGION = "us-west-2";

/** Throws until S3 speaks: a request that nobody signed is answered, with whatever it thinks of that. */
async function probe(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
}

/** Takes versitygw's program; starts it over folders of the lab, with the operator's accounts and a stranger's. */
async function startVersitygw(lab: LabContext, program: string): Promise<LabS3> {
  const folder = path.join(lab.folder, "s3");
  const folders = ["buckets", "versions", "sidecar", "accounts"].map((name) =>
    path.join(folder, name),
  );
  for (const made of folders) mkdirSync(made, { recursive: true, mode: 0o700 });
  const [buckets = "", versions = "", sidecar = "", accounts = ""] = folders;
  const stranger = {
    accessKeyId: "AKIALCOPSLABOTHER000",
    secretAccessKey: "lab-of-lcops-opens-nothing-other",
  };
  const rows = [
    ...Object.values(LAB_ACCOUNTS).map((account) => ({ account, role: "admin" })),
    { account: stranger, role: "userplus" },
  ].map(({ account, role }) => [
    account.accessKeyId,
    { access: account.accessKeyId, secret: account.secretAccessKey, role },
  ]);
  writeFileSync(
    path.join(accounts, "users.json"),
    JSON.stringify({ accessAccounts: Object.fromEntries(rows) }),
    { mode: 0o600 },
  );
  const port = await lab.pickPort(ADDRESS);
  const url = `http://${ADDRESS}:${port}`;
  const server = await startServer(lab, {
    name: "versitygw",
    command: program,
    args: [
      ...["--port", `${ADDRESS}:${port}`, "--region", REGION, "--iam-dir", accounts, "--quiet"],
      ...["posix", "--versioning-dir", versions, "--sidecar", sidecar, buckets],
    ],
    environment: {
      ROOT_ACCESS_KEY: "AKIALCOPSLABROOT0000",
      ROOT_SECRET_KEY: randomBytes(20).toString("hex"),
    },
    folder,
    probe: () => probe(url),
  });
  const { prod: account } = LAB_ACCOUNTS;
  const lies = S3_LIES.versitygw;
  return { url, server: "versitygw", region: REGION, lies, account, stranger, pid: server.pid };
}

type S3rver = {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
};

/** It comes without types, and knows only accounts that are told to it where it keeps them. */
async function startS3rver(lab: LabContext): Promise<LabS3> {
  const require = createRequire(import.meta.url);
  const Emulator = require("s3rver") as new (options: object) => S3rver;
  const { DUMMY_ACCOUNT } = require("s3rver/lib/models/account") as {
    DUMMY_ACCOUNT: { createKeyPair(id: string, secret: string): void };
  };
  for (const { accessKeyId, secretAccessKey } of Object.values(LAB_ACCOUNTS))
    DUMMY_ACCOUNT.createKeyPair(accessKeyId, secretAccessKey);
  const directory = path.join(lab.folder, "s3");
  mkdirSync(directory, { mode: 0o700 });
  const server = new Emulator({ address: ADDRESS, port: 0, silent: true, directory });
  const { port } = await server.run();
  lab.closers.push(() => server.close());
  const url = `http://${ADDRESS}:${port}`;
  const { prod: account } = LAB_ACCOUNTS;
  return { url, server: "s3rver", region: REGION, lies: S3_LIES.s3rver, account };
}

/** Takes versitygw's program where there is one, and the lab's AWS; starts S3, empty, and returns where it is. */
export async function startS3(
  lab: LabContext,
  program: string | undefined,
  aws: Promise<LabAws | undefined>,
): Promise<LabS3> {
  if (program !== undefined) return startVersitygw(lab, program);
  const found = await aws;
  if (found?.state !== "emulator") return startS3rver(lab);
  const { prod: account } = LAB_ACCOUNTS;
  const { endpointUrl: url } = found;
  return { url, server: "moto", region: REGION, lies: S3_LIES.moto, account };
}
