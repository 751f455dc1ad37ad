/** The lab's S3: versitygw where it was built, else moto's. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
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
      "--port",
      `${ADDRESS}:${port}`,
      "--region",
      REGION,
      "--iam-dir",
      accounts,
      "--quiet",
      "posix",
      "--versioning-dir",
      versions,
      "--sidecar",
      sidecar,
      buckets,
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
  const common = { url, region: REGION, bucket: BUCKET, submissions: SUBMISSIONS, account };
  return { ...common, server: "versitygw", lies, stranger, pid: server.pid };
}

/** Where sets go. */
const BUCKET = "lcops-backups";
/** 30 % of the estate's data. */
const SUBMISSIONS = { bucket: "lcops-submissions", objects: 120, copy: "lcops-submissions-copy" };

async function makeBuckets({ url, region, account }: LabS3): Promise<void> {
  const client = new S3Client({
    region,
    endpoint: url,
    forcePathStyle: true,
    credentials: account,
  });
  try {
    const { bucket, copy, objects } = SUBMISSIONS;
    for (const Bucket of [BUCKET, bucket, copy])
      await client.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: copy, VersioningConfiguration }));
    for (let index = 0; index < objects; index++) {
      const Key = `class-${String.fromCharCode(65 + (index % 4))}/pupil ${index}/essay ${index}.txt`;
      const Body = `What I did in the holidays, number ${index}.\n`.repeat(20);
      const Metadata = { pupil: String(index) };
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, Metadata }));
    }
  } finally {
    client.destroy();
  }
}

/** Takes versitygw's program where there is one, and what starts the lab's AWS; starts S3, with its buckets, and returns where it is. */
export async function startS3(
  lab: LabContext,
  program: string | undefined,
  aws: () => Promise<LabAws>,
): Promise<LabS3 | undefined> {
  const s3 = program === undefined ? useMoto(await aws()) : await startVersitygw(lab, program);
  if (s3) await makeBuckets(s3);
  return s3;
}

function useMoto(aws: LabAws | undefined): LabS3 | undefined {
  if (aws?.state !== "emulator") return undefined;
  const { prod: account } = LAB_ACCOUNTS;
  const url = aws.endpointUrl;
  const common = { url, region: REGION, bucket: BUCKET, submissions: SUBMISSIONS, account };
  return { ...common, server: "moto", lies: S3_LIES.moto };
}
