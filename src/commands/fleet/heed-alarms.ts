import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import { makeGlob } from "../../system/make-glob.ts";
import type { Reading } from "../../system/reading.ts";
import type { Context } from "../command.ts";
import type { AlarmSource } from "../health/aws-sources.ts";
import { keyOf } from "../health/memory.ts";
import { readSource } from "../health/source.ts";

/** How the alarms are that an upgrade heeds. */
export interface HeededAlarms {
  /** Those that say OK, by their names in the table of health. */
  ok: readonly string[];
  /** Why no further host is begun, a line each, not yet printable: alarms that do not say OK, names that none has, regions that do not answer. */
  obstacles: readonly string[];
}

/** An environment whose hosts are upgraded, and the alarms that the configuration names for it. */
interface Heeded {
  environment: string;
  alarms: readonly string[];
}

/** Of one region, what it has answered, and whether that is all that it has. */
interface Answered {
  scope: Pick<AlarmSource["scope"], "environments">;
  source: Pick<AlarmSource["source"], "name">;
  readings: readonly Reading[];
  isKnown: boolean;
}

/**
 * Given the hosts that are to be upgraded, return how the alarms are asked for that the configuration names for their environments, for all of them
 * where it is not known of which a host is; undefined where none are named. `--region` picks hosts, and no alarms.
 */
export async function heedAlarms(
  hosts: readonly NamedHost[],
  context: Context,
): Promise<((signal: AbortSignal) => Promise<HeededAlarms>) | undefined> {
  const config = await context.config();
  const { region: _ofHosts, ...wishes } = context.scopeWishes;
  const heeded = Object.entries(config.environments ?? {}).flatMap(([environment, { aws }]) => {
    const isMeant = hosts.some(
      ({ host: { environment: its = "" } }) =>
        its === environment || !Object.hasOwn(config.environments ?? {}, its),
    );
    const isLeftOut = wishes.environment !== undefined && wishes.environment !== environment;
    return aws?.alarms && isMeant && !isLeftOut ? [{ environment, alarms: aws.alarms }] : [];
  });
  if (heeded.length === 0) return undefined;
  const { alarmSources } = await import("../health/aws-sources.ts");
  const sources = alarmSources(config, wishes, context).filter(({ scope }) =>
    heeded.some(({ environment }) => scope.environments.includes(environment)),
  );
  return async (signal) => {
    const answered = sources.map(async (one): Promise<Answered> => {
      const readings = await readSource(one.source, signal);
      const isKnown = !readings.some((reading) => keyOf(reading) === keyOf(one.source));
      return { ...one, readings, isKnown };
    });
    return judgeAlarms(heeded, await Promise.all(answered));
  };
}

/** Given how the alarms are, return in words why no further host is begun; undefined where nothing is in the way. Pure. */
export function describeObstacles(alarms: HeededAlarms | undefined): string | undefined {
  const [first, ...more] = alarms?.obstacles ?? [];
  return first === undefined || more.length === 0 ? first : `${first}, and ${more.length} more`;
}

/** Returns which alarms say OK and which stand in the way. One that says OK and tells nobody is well: who upgrades may have muted it. Pure. */
export function judgeAlarms(
  heeded: readonly Heeded[],
  answered: readonly Answered[],
): HeededAlarms {
  const [ok, obstacles] = [new Set<string>(), new Set<string>()];
  for (const { environment, alarms } of heeded) {
    const own = answered.filter(({ scope }) => scope.environments.includes(environment));
    const silent = own.filter(({ isKnown }) => !isKnown);
    for (const { source, readings } of silent)
      obstacles.add(`the alarms of ${source.name} are not known: ${readings[0]?.detail}`);
    for (const alarm of alarms) {
      const isMeant = makeGlob(alarm);
      const found = own.flatMap(({ source, readings, isKnown }) =>
        isKnown
          ? readings.filter(({ name }) => isMeant.test(name.slice(source.name.length + 1)))
          : [],
      );
      if (found.length === 0 && silent.length === 0)
        obstacles.add(`no alarm of ${environment} is called ${alarm}`);
      for (const { name, state, detail } of found) {
        if (state === "ok" || state === "unmonitored") ok.add(name);
        else obstacles.add(`alarm ${name} says ${detail}`);
      }
    }
  }
  return { ok: [...ok], obstacles: [...obstacles] };
}
