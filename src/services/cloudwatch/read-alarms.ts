import {
  type AlarmType,
  CloudWatchClient,
  type DescribeAlarmsCommandOutput,
  paginateDescribeAlarms,
} from "@aws-sdk/client-cloudwatch";
import { askAws } from "../../aws/ask-aws.ts";
import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import type { HealthState, Reading } from "../../system/reading.ts";

/** Without them it tells of metric alarms alone (CloudWatch API Reference, DescribeAlarms). */
const TYPES: AlarmType[] = ["MetricAlarm", "CompositeAlarm"];
const PAGE_SIZE = 100;

type Alarm = NonNullable<DescribeAlarmsCommandOutput["MetricAlarms"]>[number];

/** Given a scope, return how each alarm is that it has, page by page. Throws what `explainAwsError` makes of an answer; also where a page repeats. */
export async function readAlarms(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  const found: Reading[] = [];
  return askAws(
    CloudWatchClient,
    "CLOUDWATCH",
    "cloudwatch:DescribeAlarms",
    [scope, access],
    async ({ client, abortSignal, guard }) => {
      const pages = paginateDescribeAlarms(
        { client, pageSize: PAGE_SIZE },
        { AlarmTypes: TYPES },
        { abortSignal },
      );
      for await (const page of guard(pages, ({ NextToken }) => NextToken))
        for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])])
          found.push(judgeAlarm(alarm));
      return found;
    },
  );
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
