/** The machines of the estate, as the lab plays them. */

export type Machine = {
  name: string;
  environment: "dev" | "prod";
  role: "api" | "stats" | "logs" | "cache" | "chat" | "worker" | "ci" | "bastion" | "admin";
  region: "eu-west-1" | "us-west-2" | "ap-northeast-1";
  /** Where lcops learns its address: the configuration, by number or by name, or ~/.ssh/config. */
  addressFrom: "eip" | "dns" | "ssh config";
  /** Key types of its sshd, ed25519 first. */
  hostKeys: ("ed25519" | "ecdsa" | "rsa")[];
  /** In the network that only the bastion can enter. */
  isPrivate?: true;
};

const plain: Pick<Machine, "environment" | "region" | "addressFrom" | "hostKeys"> = {
  environment: "prod",
  region: "eu-west-1",
  addressFrom: "eip",
  hostKeys: ["ed25519"],
};

export const MACHINES: Machine[] = [
  { ...plain, name: "GraphStats", role: "stats", hostKeys: ["ed25519", "ecdsa", "rsa"] },
  { ...plain, name: "TextLogs", role: "logs" },
  { ...plain, name: "RedisCache", role: "cache" },
  { ...plain, name: "DevServices", role: "chat", environment: "dev", region: "us-west-2" },
  { ...plain, name: "WorkerStats", role: "worker", region: "ap-northeast-1", addressFrom: "dns" },
  {
    ...plain,
    name: "dev-api3-2",
    role: "api",
    environment: "dev",
    region: "us-west-2",
    addressFrom: "ssh config",
  },
  { ...plain, name: "prod-api3-1", role: "api", addressFrom: "ssh config" },
  { ...plain, name: "Jenkins-Oregon", role: "ci", environment: "dev", region: "us-west-2" },
  { ...plain, name: "bastion", role: "bastion" },
  { ...plain, name: "db-admin", role: "admin", isPrivate: true },
];

/** The hosts on which Monit runs. */
export const MONIT_HOSTS = ["WorkerStats", "dev-api3-2", "prod-api3-1"] as const;
