import type { Reader } from "../services/mysql/open-reader.ts";
import { compareSchema } from "./compare-schema.ts";
import { listDatabases } from "../services/mysql/read-inventory.ts";
import { describeEnd } from "./limit-time.ts";
import { skipUnseenDefinitions } from "./skip-unseen.ts";
import type { Steer } from "./steer.ts";
import { type CheckReport, draftReport, notConfigured } from "./report.ts";

/** Something besides the replica that the schema must be like. */
export interface SchemaSource {
  name: string;
  /** Calls `use` with its session and the names of its databases, in pairs with those that are given. */
  with(
    databases: readonly string[],
    use: (session: Reader, databases: readonly (readonly [string, string])[]) => Promise<void>,
  ): Promise<void>;
}

/** Given a primary and what its schema must be like, compare them. */
export async function checkSchema(
  subject: {
    name: string;
    replica: { name: string } | undefined;
    schemas: readonly SchemaSource[];
    config: { databases?: readonly string[] | undefined };
  },
  ground: {
    primary: Reader;
    replica: Reader | undefined;
    replicaGap: string | undefined;
    databases: readonly string[];
    steer: Steer;
  },
): Promise<CheckReport> {
  const { primary, replica, databases, steer } = ground;
  const others = [
    ...(subject.replica ? [subject.replica.name] : []),
    ...subject.schemas.map(({ name }) => name),
  ];
  if (others.length === 0)
    return notConfigured("schema", `${subject.name} has nothing to be compared with`);
  const draft = draftReport("schema", `${subject.name} and ${others.join(", ")}`);
  const own = { name: subject.name, session: primary, databases };
  steer.stopWhenOver();
  await skipUnseenDefinitions(own, primary.server.flavour, draft);
  const compare = async (
    name: string,
    session: Reader,
    pairs: readonly (readonly [string, string])[],
  ): Promise<void> => {
    const theirs = { name, session, databases: pairs.map(([, there]) => there) };
    await skipUnseenDefinitions(theirs, session.server.flavour, draft);
    for (const [here, there] of pairs) {
      steer.stopWhenOver();
      const one = { name: subject.name, session: primary, database: here };
      await compareSchema(one, { name, session, database: there }, draft);
    }
  };
  if (subject.replica && !replica)
    draft.skip(subject.replica.name, ground.replicaGap ?? "it does not answer");
  /** One that goes away in the middle takes nothing with it that was found. */
  const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      steer.stopWhenOver();
      await work();
    } catch (error) {
      draft.leave(name, describeEnd(error, steer.signal));
    }
  };
  if (subject.replica && replica) {
    const { name } = subject.replica;
    await attempt(name, async () => {
      await compare(
        name,
        replica,
        databases.map((one) => [one, one] as const),
      );
      // Those that nobody has named are all that there are.
      const more = subject.config.databases ? [] : await listDatabases(replica);
      for (const one of more)
        if (!databases.includes(one))
          draft.find({
            object: `database ${one}`,
            kind: "extra",
            against: name,
            detail: `it is on ${name} only, or the user of ${subject.name} is not shown it`,
          });
    });
  }
  for (const source of subject.schemas)
    await attempt(source.name, () =>
      source.with(databases, (session, pairs) => compare(source.name, session, pairs)),
    );
  return draft.end();
}
