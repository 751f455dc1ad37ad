/** The menu of awsConnect.sh, as the lab's configuration has it. */
import type { Config } from "../../src/config/schema.ts";

type Menu = NonNullable<Config["menu"]>;

const EVERY_REGION = ["region=ap-northeast-1", "region=us-west-2", "region=eu-west-1"];

/** Where its tables are; dynalite, which may stand for it, shows them in every region. */
const IN_OREGON = ["--region", "us-west-2"];

const MENU: Menu = [
  { title: "MySQL:", entries: [{ key: "0", label: "RAW @ RDS-MYSQL (v3)", run: ["mysql"] }] },
  {
    title: "EC2:",
    entries: [
      { key: "1", service: "graphite" },
      { key: "2", service: "kibana" },
      { key: "3", service: "elasticsearch" },
      { key: "4", service: "redis" },
      { key: "5", host: "DevServices" },
      { key: "6", service: "worker-monit" },
    ],
  },
  {
    title: "OPWS:",
    entries: [
      { key: "7", service: "dev-monit" },
      { key: "8", service: "prod-monit" },
    ],
  },
  { title: "CI:", entries: [{ key: "o", service: "jenkins" }] },
  {
    title: "Backups:",
    entries: [
      {
        key: "b",
        label: "Backup W+E+R",
        run: ["backup", "run"],
      },
      { key: "ba", label: "Backup AWS-S3", run: ["backup", "run", "s3"] },
      { key: "be", label: "Backup Elasticsearch", run: ["backup", "run", "elasticsearch"] },
      { key: "bg", label: "Backup Graphite", run: ["backup", "run", "graphite"] },
      { key: "bm", label: "Backup MySQL", run: ["backup", "run", "mysql"] },
      { key: "bs", label: "What is backed up where", run: ["backup", "status"] },
      { key: "bd", label: "Prove the newest sets", run: ["backup", "drill"] },
    ],
  },
  {
    title: "Redis Flush:",
    entries: [
      { key: "rd", label: "ADM @ dev-api3-2", run: ["redis", "flush", "dev-api3-2", "--db"] },
      { key: "rp", label: "ADM @ prod-api3-1", run: ["redis", "flush", "prod-api3-1", "--db"] },
    ],
  },
  {
    title: "List AWS - instances:",
    entries: [{ key: "li", label: "ap+us+eu", run: ["hosts", ...EVERY_REGION] }],
  },
  {
    title: "Update & Upgrade:",
    entries: [{ key: "uu", label: "ap+us+eu", run: ["fleet", "upgrade", ...EVERY_REGION] }],
  },
  {
    title: "Consistency:",
    entries: [
      { key: "c", label: "Check the databases and what belongs to them", run: ["db", "check"] },
    ],
  },
  {
    title: "Workstation:",
    entries: [
      { key: "m", label: "The panel of this machine", run: ["machine"] },
      { key: "repo", label: "Update app+api+worker", run: ["machine", "update"] },
    ],
  },
  {
    title: "DynamoDB:",
    entries: [
      { key: "dt", label: "Tables", run: ["dyn", "tables", ...IN_OREGON] },
      {
        key: "dd",
        label: "Dump pattern-aggregator",
        run: ["dyn", "dump-table", "pattern-aggregator", ...IN_OREGON],
      },
      {
        key: "dc",
        label: "Capacity of pattern-aggregator",
        run: ["dyn", "capacity", "pattern-aggregator", ...IN_OREGON],
      },
      { key: "du", label: "Undo the last change of a row", run: ["dyn", "undo"] },
    ],
  },
  {
    title: "Health:",
    entries: [
      { key: "h", label: "Everything in one table", run: ["health"] },
      { key: "hw", label: "The same, kept on the screen", run: ["health", "--watch"] },
    ],
  },
  {
    title: "Tunnels:",
    entries: [
      { key: "t", label: "In the background", run: ["tunnel", "list"] },
      { key: "tc", label: "Close those in the background", run: ["tunnel", "close", "--all"] },
    ],
  },
];

/** Takes the names of hosts and services that exist; returns the menu without entries that lead to another. */
export function buildMenu(hosts: ReadonlySet<string>, services: ReadonlySet<string>): Menu {
  return MENU.map(({ title, entries }) => ({
    title,
    entries: entries.filter((entry) => {
      if ("service" in entry) return services.has(entry.service);
      return "host" in entry ? hosts.has(entry.host) : true;
    }),
  })).filter((group) => group.entries.length > 0);
}
