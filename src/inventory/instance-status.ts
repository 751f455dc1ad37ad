import {
  EC2Client,
  type InstanceStatus,
  paginateDescribeInstanceStatus,
} from "@aws-sdk/client-ec2";
import { askAws } from "../aws/ask-aws.ts";
import type { AwsScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import { pluralOf } from "../system/quantities.ts";
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
  const readings: Reading[] = [];
  let well = 0;
  await askAws(
    EC2Client,
    "EC2",
    "ec2:DescribeInstanceStatus",
    [scope, access],
    async ({ client, abortSignal, guard }) => {
      const pages = paginateDescribeInstanceStatus(
        { client, pageSize: PAGE_SIZE },
        {},
        { abortSignal },
      );
      for await (const page of guard(pages, ({ NextToken }) => NextToken)) {
        for (const status of page.InstanceStatuses ?? []) {
          const [state, detail] = judgeInstance(status);
          if (state === "ok") well++;
          else {
            const id = status.InstanceId ?? "?";
            readings.push({
              area: "ec2",
              name: nameOf(id) ?? id,
              state,
              detail: `${id}: ${detail}`,
            });
          }
        }
      }
    },
  );
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
