/** What a lab is, as tests, demo and bench see it. */
import type { LabRepository } from "./repositories.ts";

export type PartState = "real" | "emulator" | "stand-in" | "absent";
export const PART_NAMES = [
  "hosts",
  "bastion",
  "mysql",
  "replica",
  "redis",
  "graphite",
  "monit",
  "xmpp",
  "elasticsearch",
  "kibana",
  "jenkins",
  "aws",
  "opsworks",
  "dynamodb",
  "s3",
  "repositories",
] as const;
export type PartName = (typeof PART_NAMES)[number];
export type Part = { name: PartName; state: PartState; detail: string; reason?: string };

export type Endpoint = { address: string; port: number };

export type LabHost = Endpoint & {
  /** Where its sshd answers besides its address: `localhost` has one address or two. */
  otherAddresses: string[];
  /** As `ssh` prints it, SHA256:…, of its ed25519 key. */
  hostKeyFingerprint: string;
  /** Private ed25519 host key; the public one is beside it, with .pub. */
  hostKeyFile: string;
  logFile: string;
  /** Its sshd; for the bastion, whose sshd starts with each connection, the lab itself. */
  pid: number;
};

export type LabMysql = {
  primary: Endpoint & { socket: string; pid: number };
  replica?: Endpoint & { socket: string; pid: number };
  database: string;
  /** User name to the file that holds its password: root, app, report, replicator. */
  passwordFiles: Record<string, string>;
};
export type LabMonit = Endpoint & { user: string; passwordFile: string; pid: number };

export type LabXmpp = Endpoint & {
  /** Of its accounts: lcops, ada and grace. */
  domain: string;
  /** Where the team talks. */
  room: string;
  /** By the name of the account. */
  passwordFiles: Record<string, string>;
  /** The certificate of who signed the server's. */
  authorityFile: string;
  pid: number;
};

type LabSearchNode = {
  pid: number;
  product: "opensearch" | "elasticsearch";
  version: string;
  /** Its path.repo, in which it may write. */
  snapshotFolder: string;
  /** By index, at the start. */
  documents: Record<string, number>;
};

export type LabServices = {
  mysql?: LabMysql;
  /** Of production. */
  redis?: Endpoint & { pid: number; keys: number };
  /** Of development. */
  devRedis?: Endpoint & { pid: number; keys: number };
  graphite?: Endpoint & {
    linePort: number;
    picklePort: number;
    whisperFolder: string;
    pid: number;
  };
  /** By the host on which it runs. */
  monit?: Record<string, LabMonit>;
  xmpp?: LabXmpp;
  /** Without a node it is the page that stands in for one. */
  elasticsearch?: Endpoint & { node?: LabSearchNode };
  kibana?: Endpoint;
  jenkins?: Endpoint;
};

export type AwsInstanceId = { region: string; instanceId: string };
export type LabAws = {
  /** Of EC2 and STS, and of RDS and CloudWatch where it is the emulator. */
  endpointUrl: string;
  opsworksUrl: string;
  /** The emulator too, or dynalite where there is none. */
  dynamodbUrl: string;
  state: "emulator" | "stand-in";
  accountId: string;
  regions: string[];
  /** The machines of the estate, by name, as they were at the start. */
  instances: Record<string, AwsInstanceId>;
  /** The emulator's process. */
  pid?: number;
};

/** What backups need: room, and a key that opens them. */
export type LabBackups = {
  folder: string;
  /** Public age key. */
  recipient: string;
  /** The private one. */
  identityFile: string;
};

export const S3_PROPERTIES = [
  "a key may be another's folder",
  "an empty level of a key stays",
  "a key may end in a slash",
  "a key may have dots for a level",
  "a level of a key may be long",
  "keys may have any character",
  "keys are listed by their bytes",
  "listings have pages",
  "a put may be conditional",
  "a copy may be conditional",
  "an upload may be conditional",
  "an upload's etag counts its parts",
  "a part may be copied",
  "a wrong sha256 is refused",
  "a wrong crc64nvme is refused",
  "a checksum is told",
  "versions are kept",
  "headers and tags are kept and copied",
  "a wrong secret is refused",
] as const;
/** A promise of S3. */
export type S3Property = (typeof S3_PROPERTIES)[number];
type S3Account = { accessKeyId: string; secretAccessKey: string };
export type LabS3 = {
  url: string;
  server: "versitygw" | "moto";
  region: string;
  /** For sets. */
  bucket: string;
  /** The submissions of students, and the bucket that keeps their copy, and versions. */
  submissions: { bucket: string; objects: number; copy: string };
  /** Promises of S3 that this server does not keep: tests that lean on one are skipped here. */
  lies: readonly S3Property[];
  /** Of the operator, as in the profile `prod`. */
  account: S3Account;
  /** Of somebody else, who may nothing until a bucket says so; undefined where the server knows one account. */
  stranger?: S3Account;
  pid?: number;
};

/** Working copies of the operator's, by name; the remote of each has two commits more. */
type LabRepositories = Record<string, LabRepository>;

/** All of a lab that can be handed to another process. */
export type LabDescription = {
  folder: string;
  configPath: string;
  /** All variables to run lcops with, none of the user's; what is started with them ends with the lab. */
  environment: Record<string, string>;
  parts: Part[];
  hosts: Record<string, LabHost>;
  services: LabServices;
  aws?: LabAws;
  s3?: LabS3;
  backups?: LabBackups;
  repositories?: LabRepositories;
  identityFile: string;
  knownHostsFile: string;
  sshConfigFile: string;
};
export type Lab = LabDescription & { stop: () => Promise<void> };

export type LabOptions = {
  /** Ports of the tunnels on this machine: those of awsConnect.sh where they are free, or any free ones. */
  ports?: "free" | "familiar";
  log?: (line: string) => void;
  /** Only these parts, and what they need. */
  parts?: PartName[];
  /** Ends a start that is under way. */
  signal?: AbortSignal;
};
