import {
  type AlarmType,
  CloudWatchClient,
  type DescribeAlarmsCommandOutput,
  paginateDescribeAlarms,
} from "@aws-sdk/client-cloudwatch";
import { type AwsScope, describeScope } from "../../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../../aws/client-options.ts";
import { explainAwsError } from "../../aws/explain-error.ts";
import { guardPages } from "../../system/guard-pages.ts";
import type { HealthState, Reading } from "../../system/reading.ts";

/** Without them it tells of metric alarms alone (CloudWatch API Reference, DescribeAlarms). */
const TYPES: AlarmType[] = ["MetricAlarm", "CompositeAlarm"];
const PAGE_SIZE = 100;

type Alarm = NonNullable<DescribeAlarmsCommandOutput["MetricAlarms"]>[number];

/** Given a scope, return how each alarm is that it has, page by page. Throws what `explainAwsError` makes of an answer; also where a page repeats. */
export async function readAlarms(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  const client = new CloudWatchClient(await clientOptions(scope, "CLOUDWATCH", access));
  const { signal: abortSignal } = access;
  const action = "cloudwatch:DescribeAlarms";
  const found: Reading[] = [];
  try {
    const pages = paginateDescribeAlarms(
      { client, pageSize: PAGE_SIZE },
      { AlarmTypes: TYPES },
      { abortSignal },
    );
    const what = `${action} in ${describeScope(scope)}`;
    for await (const page of guardPages(pages, ({ NextToken }) => NextToken, what))
      for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])])
        found.push(judgeAlarm(alarm));
    return found;
  } catch (error) {
    abortSignal.throwIfAborted();
    throw explainAwsError(error, action, scope);
  } finally {
    client.destroy();
  }
}

const STATES: Readonly<Record<string, HealthState>> = { OK: "ok", ALARM: "fail" };

/** Given an alarm, return how it is: one without data is not well, nor is one that would tell nobody. Pure. */
function judgeAlarm(
  alarm: Pick<
    Alarm,
    "AlarmName" | "StateValue" | "StateReason" | "StateUpdatedTimestamp" | "ActionsEnabled"
  >,
): Reading {
  const value = alarm.StateValue ?? "no state";
  const isMuted = alarm.ActionsEnabled === false;
  const state = STATES[value] ?? "unknown";
  const detail = [
    value,
    ...(isMuted ? ["its actions are off, nobody is told"] : []),
    ...(state !== "ok" && alarm.StateReason ? [alarm.StateReason] : []),
  ].join("; ");
  return {
    area: "alarm",
    name: alarm.AlarmName ?? "?",
    state: state === "ok" && isMuted ? "unmonitored" : state,
    detail,
    ...(alarm.StateUpdatedTimestamp && { since: alarm.StateUpdatedTimestamp.toISOString() }),
  };
}
