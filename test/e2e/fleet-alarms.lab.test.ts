/** Alarms of CloudWatch, as moto keeps them, in the way of an upgrade. */
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dropState, readState, resetHost, setState, writePrograms } from "../lab/fleet-programs.ts";
import { sshdMissing } from "../ssh/start-sshd.ts";
import { until } from "../support/until.ts";
import { type FleetGround, makeFleetGround } from "../support/fleet-ground.ts";
import type { LcopsResult } from "../support/run-lcops.ts";
import { useLab } from "../support/lab.ts";

const NAMES = ["api-1", "api-2", "api-3", "api-4"];
/** Nothing of the estate stands there, and no other test has alarms there. */
const REGION = "ca-central-1";
const CREDENTIALS = { accessKeyId: "AKIALCOPSFLEETALARM0", secretAccessKey: "x" };
const ALARM = "fleet-5xx";

const { aws } = await useLab("aws");
const isMissing = sshdMissing || aws?.state !== "emulator";

let ground: FleetGround;
let cloudwatch: CloudWatchClient;
beforeAll(async () => {
  if (isMissing) return;
  ground = await makeFleetGround({
    names: NAMES,
    variables: ({ folder }) => writePrograms(folder),
  });
  const endpoint = aws.endpointUrl;
  Object.assign(ground.environment, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
  });
  cloudwatch = new CloudWatchClient({ region: REGION, endpoint, credentials: CREDENTIALS });
}, 60_000);
afterAll(async () => {
  cloudwatch?.destroy();
  await ground?.stop();
});
beforeEach(async () => {
  if (isMissing) return;
  for (const { folder } of ground.hosts) resetHost(folder);
  heed([ALARM]);
  await put(ALARM, "OK");
});
afterEach(async () => {
  if (isMissing) return;
  delete ground.environment["AWS_ENDPOINT_URL_CLOUDWATCH"];
  await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [ALARM, "fleet-latency"] }));
});

function heed(alarms: string[], environment = "dev"): void {
  ground.configure((config) => {
    config.fleet = { soakSeconds: 0, upgradeMinutes: 1 };
    config.environments = {
      dev: { production: false, aws: { regions: [REGION] } },
      prod: { production: true, aws: { regions: [REGION] } },
    };
    Object.assign(config.environments[environment]?.aws ?? {}, { alarms });
  });
}

type State = "OK" | "ALARM" | "INSUFFICIENT_DATA";
async function put(AlarmName: string, state: State, ActionsEnabled = true): Promise<void> {
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName,
      ActionsEnabled,
      Namespace: "AWS/ELB",
      MetricName: "HTTPCode_Backend_5XX",
      ComparisonOperator: "GreaterThanThreshold",
      EvaluationPeriods: 1,
      Period: 60,
      Statistic: "Sum",
      Threshold: 10,
    }),
  );
  await turn(state, AlarmName);
}
const turn = (StateValue: State, AlarmName = ALARM): Promise<unknown> =>
  cloudwatch.send(
    new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: "Threshold Crossed" }),
  );

const upgrade = (...words: string[]): Promise<LcopsResult> =>
  ground.lcops("fleet", "upgrade", ...words);
const folderOf = (name: string): string =>
  ground.hosts.find((host) => host.name === name)?.folder ?? "";
const begun = (): number[] =>
  NAMES.map((name) => readState(folderOf(name), "begun").split("\n").filter(Boolean).length);
const refused = (why: string): object => ({
  code: 5,
  stdout: "",
  stderr: expect.stringContaining(`${why}; nothing was done`),
});

describe.skipIf(isMissing)("an upgrade that heeds an alarm", { timeout: 120_000 }, () => {
  test("is done while it says OK, also if nobody is told of it", async () => {
    await put(ALARM, "OK", false);
    const planned = await upgrade(...NAMES, "--dry-run");
    expect(planned.stdout).toContain(
      `alarms that must say OK before each batch, and do: dev+prod ${REGION}/${ALARM}`,
    );
    expect((await upgrade(...NAMES, "--yes")).code).toBe(0);
    expect(begun()).toEqual([1, 1, 1, 1]);
  });

  test.each(["ALARM", "INSUFFICIENT_DATA"] as const)(
    "is not begun while it says %s, as its plan tells",
    async (state) => {
      const before = await ground.journal();
      await turn(state);
      const why = `alarm dev+prod ${REGION}/${ALARM} says ${state}; Threshold Crossed`;
      const planned = await upgrade(...NAMES, "--dry-run");
      expect(planned.code).toBe(0);
      expect(planned.stdout).toContain(`no further host is begun, since ${why}`);
      expect(await upgrade(...NAMES, "--yes")).toMatchObject(refused(why));
      expect(begun()).toEqual([0, 0, 0, 0]);
      expect(await ground.journal()).toHaveLength(before.length);
    },
  );

  test("pauses before the next batch once it says ALARM, and goes on with --resume when it says OK", async () => {
    setState(folderOf("api-1"), "slow");
    const running = ground.start("fleet", "upgrade", ...NAMES, "--yes");
    await until("it is begun", () => begun()[0] === 1, 15_000);
    await turn("ALARM");
    dropState(folderOf("api-1"), "slow");
    const { code, stderr } = await running.ended;
    expect(code).toBe(3);
    expect(stderr).toContain(
      `it ended early, since alarm dev+prod ${REGION}/${ALARM} says ALARM; Threshold Crossed: 1 done, 3 never tried; `,
    );
    expect(stderr).toContain("lcops fleet upgrade --resume");
    expect(begun()).toEqual([1, 0, 0, 0]);
    expect(await upgrade("--resume", "--yes")).toMatchObject({ code: 5 });
    expect(begun()).toEqual([1, 0, 0, 0]);
    await turn("OK");
    expect((await upgrade("--resume", "--yes")).code).toBe(0);
    expect(begun()).toEqual([1, 1, 1, 1]);
  });

  test("that was killed is followed where it was begun, and no further", async () => {
    setState(folderOf("api-1"), "slow");
    const running = ground.start("fleet", "upgrade", ...NAMES, "--yes");
    await until("it is begun", () => begun()[0] === 1, 15_000);
    running.send("SIGKILL");
    await running.ended;
    await turn("ALARM");
    dropState(folderOf("api-1"), "slow");
    const { code, stderr } = await upgrade("--resume", "--yes");
    expect(code).toBe(3);
    expect(stderr).toContain("1 done, 3 never tried");
    expect(begun()).toEqual([1, 0, 0, 0]);
  });

  test("is not begun where CloudWatch does not answer, or has no alarm of that name", async () => {
    heed(["fleet-*", "gone"]);
    expect(await upgrade("api-1", "--yes")).toMatchObject(
      refused("no alarm of dev is called gone"),
    );
    heed([ALARM]);
    ground.environment["AWS_ENDPOINT_URL_CLOUDWATCH"] = "http://127.0.0.1:9";
    const { code, stderr } = await upgrade("api-1", "--yes");
    expect(code).toBe(5);
    expect(stderr).toMatch(
      new RegExp(`the alarms of dev\\+prod ${REGION} are not known: .*, and 1 more; nothing was`),
    );
    expect(begun()).toEqual([0, 0, 0, 0]);
  });

  test("heeds all that a pattern means, and those of the environment alone that is upgraded", async () => {
    await put("fleet-latency", "ALARM");
    expect((await upgrade("api-1", "--yes")).code).toBe(0);
    heed(["fleet-*"]);
    expect(await upgrade("api-2", "--yes")).toMatchObject(
      refused(`alarm dev+prod ${REGION}/fleet-latency says ALARM; Threshold Crossed`),
    );
    heed(["fleet-*"], "prod");
    expect((await upgrade("api-2", "--yes")).code).toBe(0);
    expect(begun()).toEqual([1, 1, 0, 0]);
  });
});
