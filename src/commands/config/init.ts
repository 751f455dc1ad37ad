import { dirname, join } from "node:path";
import { OperatorError } from "../../system/errors.ts";
import type { Profile } from "../../aws/list-profiles.ts";
import type { Wishes } from "./propose-config.ts";
import { countOf } from "../../system/quantities.ts";
import type { Prompts } from "../../terminal/prompts.ts";
import type { Command, Context } from "../command.ts";

export const configInit: Command = {
  name: "config init",
  summary: "Make a configuration from a few questions and from what this machine knows",
  examples: [
    "config init",
    "config init --dry-run --yes",
    "config init --yes --config ./lcops.config.json",
  ],
  danger: "writes",
  unattended: "--yes",
  async run(input, context) {
    const { proposeConfig } = await import("./propose-config.ts");
    const { writeFileAtomically } = await import("../../system/atomic-file.ts");
    const { terminal, configPath } = context;
    const isDryRun = input.options["dryRun"] === true;
    if (!isDryRun && (await exists(configPath))) {
      throw new OperatorError("refused", `${configPath} exists already`, {
        next: "edit it, or name another file with --config",
      });
    }
    const found = await lookAround(context);
    const isAsking = input.options["yes"] !== true;
    if (isAsking && !terminal.canPrompt) {
      throw new OperatorError("refused", "config init asks, and there is no terminal", {
        next: "add --yes to take what it proposes",
      });
    }
    const wishes = isAsking ? await ask(found, context) : proposeWishes(found);
    const { findMachines } = await import("./find-machines.ts");
    const { machines, accounts, isPartial } = await findMachines(wishes.environments, context);
    const environments = wishes.environments.map((environment) => {
      const account = accounts.get(environment.name);
      return { ...environment, ...(account !== undefined && { account }) };
    });
    const schemaPath = join(dirname(configPath), "lcops.schema.json");
    const text = `${JSON.stringify(proposeConfig({ ...wishes, environments, machines }), null, 2)}\n`;
    if (isDryRun) {
      terminal.note(`# would be written to ${configPath}, and its schema to ${schemaPath}`);
      terminal.stdout.write(text);
      return isPartial ? 3 : 0;
    }
    const { makeJsonSchema } = await import("../../config/json-schema.ts");
    const { KINDS } = await import("../../services/registry.ts");
    // Somebody's own file of that name stays as it is; the schema is for editors only.
    if (!(await exists(schemaPath))) {
      await writeFileAtomically(schemaPath, `${JSON.stringify(makeJsonSchema(KINDS), null, 2)}\n`);
    }
    await writeFileAtomically(configPath, text);
    if (terminal.flags.json) terminal.printJson({ path: configPath });
    else
      terminal.note(
        `${configPath} is written; lcops doctor shows what it reaches, lcops opens the menu`,
      );
    return isPartial ? 3 : 0;
  },
};

interface Found {
  profiles: readonly Profile[];
  sshHosts: readonly string[];
}

async function lookAround(context: Context): Promise<Found> {
  const { listProfiles } = await import("../../aws/list-profiles.ts");
  const { readSshHosts } = await import("../../config/ssh-hosts.ts");
  const profiles = await listProfiles(context.environment);
  const hosts = readSshHosts(undefined);
  context.terminal.note(
    `found ${countOf(profiles.length, "AWS profile")} and ${countOf(hosts.length, "host")} in the ssh configuration`,
  );
  return { profiles, sshHosts: hosts.map((host) => host.name) };
}

type Answers = Omit<Wishes, "machines">;

/** Returns what is taken when nobody is asked: an environment is production unless its name says otherwise. Pure. */
export function proposeWishes(found: Found): Answers {
  return {
    environments: ["dev", "prod"].map((name) => {
      const profile = found.profiles.find((candidate) => candidate.name === name);
      return {
        name,
        production: isProductionName(name),
        ...(profile !== undefined && { profile: profile.name }),
        ...(profile?.region !== undefined && { regions: [profile.region] }),
      };
    }),
    hosts: found.sshHosts,
  };
}

/** Asks for the environments, and returns the answers. Throws `usage` for one that is none. */
export async function ask(found: Found, context: Pick<Context, "prompts">): Promise<Answers> {
  const { NAME } = await import("../../config/name.ts");
  const prompts = await context.prompts();
  const names = (await prompts.input("Environments, separated by commas:", "dev,prod"))
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  const environments: Answers["environments"][number][] = [];
  for (const name of names) {
    if (!NAME.test(name)) {
      throw new OperatorError("usage", `${JSON.stringify(name)} is no name for an environment`, {
        next: "use letters, digits, dot, dash and underscore",
      });
    }
    const guesses = [
      { name: "yes, guard it", value: true },
      { name: "no", value: false },
    ];
    if (!isProductionName(name)) guesses.reverse();
    const production = await prompts.choose(`Is ${name} production?`, guesses);
    const profile =
      found.profiles.length === 0 ? undefined : await chooseProfile(name, found.profiles, prompts);
    const regions = profile === undefined ? [] : await askRegions(name, profile, prompts);
    environments.push({
      name,
      production,
      ...(profile !== undefined && { profile: profile.name }),
      ...(regions.length > 0 && { regions }),
    });
  }
  const takesHosts =
    found.sshHosts.length > 0 &&
    (await prompts.confirm(
      `Put the ${countOf(found.sshHosts.length, "host")} of the ssh configuration into the menu?`,
    ));
  return { environments, hosts: takesHosts ? found.sshHosts : [] };
}

/** The profile of the same name comes first, else none: Enter takes the first. */
async function chooseProfile(
  name: string,
  profiles: readonly Profile[],
  prompts: Pick<Prompts, "choose">,
): Promise<Profile | undefined> {
  const others = profiles.filter((profile) => profile.name !== name);
  const same = profiles.filter((profile) => profile.name === name);
  // Not undefined: inquirer would take that for its default, wherever it stands.
  const none = { name: "none", value: "" };
  const named = (some: readonly Profile[]) =>
    some.map((profile) => ({ name: profile.name, value: profile.name }));
  const chosen = await prompts.choose(`AWS profile of ${name}:`, [
    ...named(same),
    none,
    ...named(others),
  ]);
  return profiles.find((profile) => profile.name === chosen);
}

async function askRegions(
  name: string,
  profile: Profile,
  prompts: Pick<Prompts, "input">,
): Promise<string[]> {
  const answer = await prompts.input(
    `AWS regions of ${name}, separated by commas:`,
    profile.region,
  );
  const regions = answer
    .split(",")
    .map((region) => region.trim())
    .filter(Boolean);
  const wrong = regions.find((region) => !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region));
  if (wrong === undefined) return regions;
  throw new OperatorError("usage", `${JSON.stringify(wrong)} is no region`, {
    next: "name it as AWS does, e.g. eu-west-1",
  });
}

function isProductionName(name: string): boolean {
  return !/dev|test|stag|local|sandbox/i.test(name);
}

async function exists(path: string): Promise<boolean> {
  const { access } = await import("node:fs/promises");
  return access(path).then(
    () => true,
    () => false,
  );
}
