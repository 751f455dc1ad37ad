import {
  EC2Client,
  type InstanceStatus,
  paginateDescribeInstanceStatus,
} from "@aws-sdk/client-ec2";
import { type AwsScope, describeScope } from "../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../aws/client-options.ts";
import { explainAwsError } from "../aws/explain-error.ts";
import { pluralOf } from "../system/quantities.ts";
import { guardPages } from "../system/guard-pages.ts";
import type { HealthState, Reading } from "../system/reading.ts";

const PAGE_SIZE = 250;

/**
 * Given a scope and how its instances are called, by id, return how EC2's own checks of those that run are: a reading for each one that does not
 * pass them or that EC2 has plans with, and one for all the others together. Throws what `explainAwsError` makes of an answer.
 */
export async function readInstanceStatus(
  scope: AwsScope,
  nameOf: (id: string) => string | undefined,
  access: AwsAccess,
): Promise<Reading[]> {
  const client = new EC2Client(await clientOptions(scope, "EC2", access));
  const { signal: abortSignal } = access;
  const readings: Reading[] = [];
  const action = "ec2:DescribeInstanceStatus";
  let well = 0;
  try {
    const pages = paginateDescribeInstanceStatus(
      { client, pageSize: PAGE_SIZE },
      {},
      { abortSignal },
    );
    const what = `${action} in ${describeScope(scope)}`;
    for await (const page of guardPages(pages, ({ NextToken }) => NextToken, what)) {
      for (const status of page.InstanceStatuses ?? []) {
        const [state, detail] = judgeInstance(status);
        if (state === "ok") well++;
        else {
          const id = status.InstanceId ?? "?";
          readings.push({ area: "ec2", name: nameOf(id) ?? id, state, detail: `${id}: ${detail}` });
        }
      }
    }
  } catch (error) {
    abortSignal.throwIfAborted();
    throw explainAwsError(error, action, scope);
  } finally {
    client.destroy();
  }
  const others = readings.length === 0 ? "" : " others";
  const detail = `${well}${others} ${pluralOf(well, "instance passes", "instances pass")} EC2's checks`;
  return [{ area: "ec2", name: "instances", state: "ok", detail }, ...readings];
}

/** Given what EC2 says of an instance, return how it is; an event that is over is past. Pure. */
export function judgeInstance({
  SystemStatus,
  InstanceStatus: own,
  Events = [],
}: Pick<InstanceStatus, "SystemStatus" | "InstanceStatus" | "Events">): [HealthState, string] {
  const checks = [`system ${SystemStatus?.Status ?? "?"}`, `instance ${own?.Status ?? "?"}`];
  const coming = Events.filter(
    ({ Description = "" }) => !/^\[(Completed|Canceled)\]/.test(Description),
  );
  const planned = coming.map(
    ({ Code, NotBefore }) =>
      `${Code}${NotBefore ? ` on ${NotBefore.toISOString().slice(0, 10)}` : ""}`,
  );
  const detail = [checks.join(", "), ...planned].join("; ");
  const states = [SystemStatus?.Status, own?.Status];
  if (states.includes("impaired")) return ["fail", detail];
  if (planned.length > 0) return ["warn", detail];
  return [states.every((state) => state === "ok") ? "ok" : "unknown", detail];
}
