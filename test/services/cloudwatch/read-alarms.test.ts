/** CloudWatch's answers, as its JSON protocol has them: pages, kinds and refusals that no emulator gives. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readAlarms } from "../../../src/services/cloudwatch/read-alarms.ts";
import type { Reading } from "../../../src/system/reading.ts";

type Answer = { status?: number; body: object };
interface Asked {
  NextToken?: string;
  AlarmTypes?: string[];
}

let server: http.Server;
let asked: Asked[];
let answer: (request: Asked) => Answer;
beforeEach(async () => {
  asked = [];
  server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (text: string) => (body += text));
    request.on("end", () => {
      const wanted = JSON.parse(body) as Asked;
      asked.push(wanted);
      const { status = 200, body: said } = answer(wanted);
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("AWS_ENDPOINT_URL_CLOUDWATCH", `http://127.0.0.1:${port}`);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAALARMS0000000000");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "x");
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const read = (): Promise<Reading[]> =>
  readAlarms(
    { region: "us-west-2" },
    { environment: process.env, signal: AbortSignal.timeout(20_000) },
  );
const alarm = (AlarmName: string, more: object = {}): object => ({
  AlarmName,
  StateValue: "OK",
  StateReason: "Threshold Crossed",
  StateUpdatedTimestamp: 1_400_000_000,
  ActionsEnabled: true,
  ...more,
});

test("101 alarms are two pages, composite ones are asked for, and none is lost", async () => {
  const all = Array.from({ length: 101 }, (_, index) => alarm(`alarm-${index}`));
  answer = ({ NextToken }) =>
    NextToken === undefined
      ? { body: { MetricAlarms: all.slice(0, 100), CompositeAlarms: [], NextToken: "more" } }
      : {
          body: {
            MetricAlarms: all.slice(100),
            CompositeAlarms: [alarm("everything", { StateValue: "ALARM" })],
          },
        };
  const readings = await read();
  expect(asked).toMatchObject([
    { AlarmTypes: ["MetricAlarm", "CompositeAlarm"] },
    { NextToken: "more", AlarmTypes: ["MetricAlarm", "CompositeAlarm"] },
  ]);
  expect(readings).toHaveLength(102);
  expect(readings[100]).toEqual({
    area: "alarm",
    name: "alarm-100",
    state: "ok",
    detail: "OK",
    since: "2014-05-13T16:53:20.000Z",
  });
  expect(readings[101]).toMatchObject({ name: "everything", state: "fail" });
});

test("what is not known, and what would tell nobody, is not well", async () => {
  answer = () => ({
    body: {
      MetricAlarms: [
        alarm("no-data", { StateValue: "INSUFFICIENT_DATA" }),
        alarm("muted", { ActionsEnabled: false }),
        alarm("muted-alarm", { ActionsEnabled: false, StateValue: "ALARM" }),
        alarm("of-the-future", { StateValue: "PERHAPS" }),
        { AlarmName: "bare" },
      ],
    },
  });
  expect((await read()).map(({ name, state }) => [name, state])).toEqual([
    ["no-data", "unknown"],
    ["muted", "unmonitored"],
    ["muted-alarm", "fail"],
    ["of-the-future", "unknown"],
    ["bare", "unknown"],
  ]);
});

test("a page that comes back for ever is an error", async () => {
  answer = () => ({ body: { MetricAlarms: [], NextToken: "again" } });
  await expect(read()).rejects.toThrow("repeats a page for ever");
  expect(asked).toHaveLength(2);
});

test("a refusal names the right that is missing", async () => {
  answer = () => ({
    status: 403,
    body: { __type: "AccessDeniedException", message: "not authorized" },
  });
  await expect(read()).rejects.toMatchObject({
    kind: "access",
    message: expect.stringContaining("cloudwatch:DescribeAlarms in us-west-2"),
    next: "have cloudwatch:DescribeAlarms allowed for it",
  });
});
