/** A bucket with objects, a place for its copy and a configuration: what copies of buckets are tried on. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import os from "node:os";
import path from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { CopyConfig } from "../../src/services/s3/settings.ts";
import type { Config } from "./known-config.ts";
import { type LcopsResult, runLcops } from "./run-lcops.ts";

type CopySettings = Omit<NonNullable<JobConfig["s3"]>, "to">;
type JobConfig = NonNullable<Config["backups"]>["jobs"][string];

export interface ObjectGround {
  folder: string;
  environment: Record<string, string>;
  client: S3Client;
  /** Names of the two buckets, made and empty. */
  source: string;
  copy: string;
  at: (...names: string[]) => string;
  configure: (change: (config: Config) => void) => void;
  /** Where the job copies to from now on, and its other settings. */
  copyTo: (to: CopyConfig, more?: CopySettings) => void;
  lcops: (...words: string[]) => Promise<LcopsResult>;
  put: (key: string, body: string | Buffer, more?: object) => Promise<void>;
  /** Keys and bodies of a bucket. */
  read: (bucket: string) => Promise<Record<string, string>>;
  /** The entries of the catalog that the job has at hand. */
  catalog: () => CatalogLine[];
  /** Sizes and etags of a bucket's objects, by key. */
  list: (bucket: string) => Promise<Map<string, string>>;
  keepVersions: (bucket: string) => Promise<void>;
  sets: () => Promise<string[]>;
  /** A profile of the same account and door. */
  addProfile: (name: string) => void;
  remove: () => void;
}

interface CatalogLine {
  key: string;
  size: number;
  etag: string;
  modified: string;
  missing?: number;
  copy: { etag?: string; version?: string; sha256?: string };
  headers?: { Metadata?: Record<string, string>; Tagging?: string; ContentType?: string };
}

interface S3Place {
  url: string;
  account: { accessKeyId: string; secretAccessKey: string };
}

let made = 0;

/** Given where S3 answers, and the door through which lcops asks it and STS, make two buckets, and a configuration with a job `objects` that copies the one to the other. */
export async function makeObjectGround(
  s3: S3Place,
  door: string,
  s3Door = door,
): Promise<ObjectGround> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-objects-"));
  const at = (...names: string[]): string => path.join(folder, ...names);
  mkdirSync(at("home"));
  const name = `lcops-objects-${process.pid}-${++made}`;
  const [source, copy] = [`${name}-live`, `${name}-copy`];
  const client = new S3Client({
    region: "us-west-2",
    endpoint: s3.url,
    forcePathStyle: true,
    credentials: s3.account,
  });
  for (const Bucket of [source, copy]) await client.send(new CreateBucketCommand({ Bucket }));
  const addProfile = (profile: string): void => {
    const { accessKeyId, secretAccessKey } = s3.account;
    appendFileSync(
      at("aws-config"),
      `[profile ${profile}]\nregion = us-west-2\nendpoint_url = ${door}\nservices = s3-of-${profile}\n[services s3-of-${profile}]\ns3 =\n  endpoint_url = ${s3Door}\n`,
    );
    appendFileSync(
      at("aws-credentials"),
      `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
      { mode: 0o600 },
    );
  };
  addProfile("dev");
  const environment = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: at("home"),
    LCOPS_CONFIG: at("lcops.config.json"),
    AWS_CONFIG_FILE: at("aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: at("aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const config: Config = {
    environments: { dev: { production: false, aws: { profile: "dev", regions: ["us-west-2"] } } },
    services: {
      live: { kind: "s3", environment: "dev", bucket: source },
      rescue: { kind: "s3", environment: "dev", bucket: copy, prefix: "rescue" },
    },
    backups: {
      destinations: { operator: { folder: at("operator") } },
      recipients: [],
      jobs: { objects: { service: "live", s3: { to: { bucket: copy, prefix: "copy" } } } },
    },
  };
  const write = (): void => writeFileSync(at("lcops.config.json"), JSON.stringify(config));
  write();
  const configure = (change: (config: Config) => void): void => {
    change(config);
    write();
  };
  const lcops = (...words: string[]): Promise<LcopsResult> =>
    runLcops(words, { environment, timeoutMs: 60_000 });
  return {
    folder,
    environment,
    client,
    source,
    copy,
    at,
    configure,
    copyTo: (to, more = {}) =>
      configure(({ backups }) => {
        if (backups?.jobs["objects"]) backups.jobs["objects"].s3 = { to, ...more };
      }),
    lcops,
    put: async (Key, Body, more = {}) => {
      await client.send(new PutObjectCommand({ Bucket: source, Key, Body, ...more }));
    },
    read: (bucket) => readBucket(client, bucket),
    list: (bucket) => listBucket(client, bucket),
    keepVersions: async (Bucket) => {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    },
    catalog: () => {
      const file = at("home/.local/state/lcops/backup/jobs/objects/catalog.ndjson");
      const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(1, -1);
      return lines.map((line) => JSON.parse(line) as CatalogLine);
    },
    sets: async () => {
      const { stdout } = await lcops("backup", "list", "--json");
      return (JSON.parse(stdout) as { sets: { setId: string }[] }).sets.map(({ setId }) => setId);
    },
    addProfile,
    remove: () => {
      client.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function readBucket(client: S3Client, Bucket: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const Key of (await listBucket(client, Bucket)).keys()) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    found[Key] = (await Body?.transformToString("latin1")) ?? "";
  }
  return found;
}

async function listBucket(client: S3Client, Bucket: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket, ...(ContinuationToken && { ContinuationToken }) }),
    );
    for (const { Key = "", Size, ETag = "" } of page.Contents ?? [])
      found.set(Key, `${Size} ${ETag.replaceAll('"', "")}`);
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
  return found;
}

/** Put so many objects of 2 kB into the source, 500 a folder, each another one. */
export async function putMany({ put }: ObjectGround, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index).values();
  const putSome = async (): Promise<void> => {
    for (const index of numbers) {
      const folder = String(Math.floor(index / 500)).padStart(3, "0");
      await put(`d${folder}/f${String(index).padStart(5, "0")}.bin`, randomBytes(2_000));
    }
  };
  await Promise.all(Array.from({ length: 16 }, putSome));
}

/** Paths of all files below a folder, relative to it. */
export function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
}
