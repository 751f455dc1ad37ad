/** Which parts of the lab this machine can have, and the table that says so. */
import { PART_NAMES } from "./lab.ts";
import type { Part, PartName, PartState } from "./lab.ts";
import type { PackageName, PackageReport } from "./packages.ts";

type PartFacts = {
  state: Exclude<PartState, "absent">;
  detail: string;
  packages: PackageName[];
  needs: PartName[];
};

const PARTS: Record<PartName, PartFacts> = {
  hosts: {
    state: "real",
    detail: "OpenSSH, a server per machine",
    packages: ["openssh-server", "openssh-client"],
    needs: [],
  },
  bastion: {
    state: "real",
    detail: "OpenSSH before a private network with db-admin in it",
    packages: ["iproute2"],
    needs: ["hosts"],
  },
  mysql: {
    state: "real",
    detail: "MariaDB, standing for RDS",
    packages: ["mariadb-server", "mariadb-client"],
    needs: [],
  },
  replica: { state: "real", detail: "MariaDB, following by GTID", packages: [], needs: ["mysql"] },
  redis: { state: "real", detail: "Redis", packages: ["redis-server"], needs: ["hosts"] },
  graphite: {
    state: "real",
    detail: "carbon-cache and graphite-web, a week of metrics",
    packages: ["graphite-carbon", "graphite-web"],
    needs: ["hosts"],
  },
  monit: {
    state: "real",
    detail: "Monit on the worker and both API hosts",
    packages: ["monit"],
    needs: ["hosts"],
  },
  xmpp: {
    state: "real",
    detail: "Prosody with TLS, and the team's room",
    packages: ["prosody"],
    needs: [],
  },
  elasticsearch: {
    state: "stand-in",
    detail: "a page on its port; OpenSearch after `npm run lab:fetch`, with Java",
    packages: [],
    needs: ["hosts"],
  },
  kibana: { state: "stand-in", detail: "a page on its port", packages: [], needs: ["hosts"] },
  jenkins: { state: "stand-in", detail: "a page on its port", packages: [], needs: ["hosts"] },
  aws: {
    state: "stand-in",
    detail: "EC2 and STS of our own; moto after `npm run lab:fetch`",
    packages: [],
    needs: [],
  },
  dynamodb: { state: "emulator", detail: "dynalite", packages: [], needs: ["aws"] },
  s3: { state: "emulator", detail: "moto", packages: [], needs: ["aws"] },
  opsworks: { state: "stand-in", detail: "its API of our own", packages: [], needs: ["aws"] },
  repositories: {
    state: "real",
    detail: "git, from remotes on the disk",
    packages: ["git"],
    needs: [],
  },
};

function withNeeds(names: readonly PartName[]): Set<PartName> {
  return new Set(names.flatMap((name) => [...withNeeds(PARTS[name].needs), name]));
}

/** What a part is on a machine that has more for it than what it needs. */
export type Better = Partial<Record<PartName, Pick<PartFacts, "state" | "detail">>>;

/**
 * Takes the wished parts, what is in their way and which are better here; returns each with its state, those that
 * cannot be had as absent.
 */
export function planParts(
  wished: readonly PartName[] | undefined,
  packages: PackageReport,
  obstacles: Partial<Record<PartName, string>>,
  better: Better = {},
): Part[] {
  const chosen = withNeeds(wished ?? PART_NAMES);
  const planned = new Map<PartName, Part>();
  for (const name of PART_NAMES.filter((part) => chosen.has(part))) {
    const { state, detail, packages: wanted, needs } = { ...PARTS[name], ...better[name] };
    const missing = wanted.filter((package_) => packages.missing.includes(package_));
    const lacking = needs.find((need) => planned.get(need)?.state === "absent");
    const reason =
      (missing.length > 0
        ? `${missing.join(", ")}: ${packages.reason ?? "not installed"}`
        : undefined) ??
      obstacles[name] ??
      (lacking ? `it needs ${lacking}` : undefined);
    planned.set(
      name,
      reason === undefined ? { name, state, detail } : { name, state: "absent", detail, reason },
    );
  }
  return [...planned.values()];
}

/** Takes the parts of a lab, and names; returns those of these names and what they need, all where no name is given. */
export function planChoice(parts: Part[], names: readonly PartName[] | undefined): Part[] {
  if (names === undefined) return parts;
  const chosen = withNeeds(names);
  return parts.filter(({ name }) => chosen.has(name));
}

/** Takes parts and LCOPS_LAB_REQUIRE; throws when it says `all` and a part is absent. */
export function requireParts(parts: Part[], required: string | undefined): void {
  const absent = parts.filter((part) => part.state === "absent");
  if (required !== "all" || absent.length === 0) return;
  throw new Error(
    `lab: LCOPS_LAB_REQUIRE=all, but absent: ${absent.map((part) => `${part.name} (${part.reason})`).join("; ")}`,
  );
}

/** Takes parts; returns the lines of their table. */
export function summarizeParts(parts: Part[]): string[] {
  const width = Math.max(...parts.map((part) => part.name.length));
  return parts.map(({ name, state, detail, reason }) => {
    return `${name.padEnd(width)}  ${state.padEnd("stand-in".length)}  ${reason ?? detail}`;
  });
}
