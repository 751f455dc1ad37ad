import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { askAws } from "../../aws/ask-aws.ts";
import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";

/** Where Route 53's metrics are, and nowhere else (Route 53 Developer Guide, "Monitoring health checks using CloudWatch"). */
const REGION = "us-east-1";
const PERIOD_SECONDS = 60;
const LOOK_BACK_MS = 10 * 60_000;

/** Given the id of a health check, return the newest value of its metric HealthCheckStatus, 1 healthy or 0; undefined where there is none. Throws what `explainAwsError` makes of an answer. */
export async function readStatusMetric(
  id: string,
  scope: AwsScope,
  access: AwsAccess,
): Promise<number | undefined> {
  const there = { ...scope, region: REGION };
  const now = Date.now();
  return askAws(
    CloudWatchClient,
    "CLOUDWATCH",
    "cloudwatch:GetMetricStatistics",
    [there, access],
    async ({ client, abortSignal }) => {
      const { Datapoints = [] } = await client.send(
        new GetMetricStatisticsCommand({
          Namespace: "AWS/Route53",
          MetricName: "HealthCheckStatus",
          Dimensions: [{ Name: "HealthCheckId", Value: id }],
          StartTime: new Date(now - LOOK_BACK_MS),
          EndTime: new Date(now),
          Period: PERIOD_SECONDS,
          Statistics: ["Minimum"],
        }),
        { abortSignal },
      );
      const timeOf = (point: (typeof Datapoints)[number]): number =>
        point.Timestamp?.getTime() ?? 0;
      return Datapoints.toSorted((one, other) => timeOf(one) - timeOf(other)).at(-1)?.Minimum;
    },
  );
}
