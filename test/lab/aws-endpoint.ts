/** A scripted AWS endpoint on loopback: EC2, STS and OpsWorks as a test says they are, and what goes wrong with them. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { answerError, answerSts } from "./aws/answer.ts";
import type { Answer } from "./aws/answer.ts";
import { describeInstances } from "./aws/describe-instances.ts";
import { EC2_ACTIONS } from "./aws/ec2.ts";
import { createFaultBook, readClock, wordError } from "./aws/faults.ts";
import type { FaultRule } from "./aws/faults.ts";
import { answerOpsWorks } from "./aws/opsworks.ts";
import { readRequest } from "./aws/request.ts";
import type { AwsRequest } from "./aws/request.ts";
import { createState, DEFAULT_ACCOUNT } from "./aws/state.ts";
import type {
  AwsAddress,
  AwsIdentity,
  AwsInstances,
  AwsState,
  OpsWorksStack,
} from "./aws/state.ts";

type LoggedRequest = Pick<
  AwsRequest,
  "service" | "action" | "region" | "accessKeyId" | "params"
> & { account: string; atMs: number };

export type AwsEndpoint = {
  url: string;
  /** For an account alone when one is given, else for all that have nothing of their own. */
  setInstances: (region: string, instances: AwsInstances, account?: string) => void;
  setAddresses: (region: string, addresses: readonly AwsAddress[], account?: string) => void;
  setStacks: (region: string, stacks: readonly OpsWorksStack[], account?: string) => void;
  /** Whose an access key is; one that was never named belongs to 123456789012. */
  setIdentity: (accessKeyId: string, identity: AwsIdentity) => void;
  setRegions: (regions: AwsState["regions"]) => void;
  /** All that was asked, in order. */
  requests: LoggedRequest[];
  /** Makes it fail by that rule; returns what mends it. */
  fault: (rule: FaultRule) => () => void;
  clearFaults: () => void;
  close: () => Promise<void>;
};

function findIdentity(state: AwsState, accessKeyId: string): Required<AwsIdentity> {
  const { account, arn, userId } = state.identities.get(accessKeyId) ?? {
    account: DEFAULT_ACCOUNT,
  };
  return { account, arn: arn ?? `arn:aws:iam::${account}:user/ops`, userId: userId ?? accessKeyId };
}

function answerPlainly(
  request: AwsRequest,
  state: AwsState,
  serial: number,
  rule: FaultRule | undefined,
): Answer {
  const { account, arn, userId } = findIdentity(state, request.accessKeyId);
  const { service, action } = request;
  if (service === "ec2" && action === "DescribeInstances") {
    const pageFault =
      rule?.kind === "repeat-token" || rule?.kind === "empty-page" ? rule.kind : undefined;
    return describeInstances(request, state, account, serial, pageFault);
  }
  const ec2 = service === "ec2" ? EC2_ACTIONS.get(action) : undefined;
  if (ec2) return ec2(request, state, account);
  if (service === "sts" && action === "GetCallerIdentity")
    return answerSts(action, { Arn: arn, UserId: userId, Account: account });
  if (service === "opsworks" && request.protocol === "json")
    return answerOpsWorks(request, state, account);
  return answerError(request, {
    status: 400,
    code: "InvalidAction",
    message: `The action ${action} is not valid for this web service.`,
  });
}

function send(response: ServerResponse, answer: Answer, more: Record<string, string> = {}): void {
  response.writeHead(answer.status, { ...answer.headers, ...more });
  for (const piece of answer.body) response.write(piece);
  response.end();
}

/** What stands between, or stands there now, answers people. */
function answerPage(status: number, title: string): Answer {
  const body = [`<html><body><h1>${title}</h1>The server…</body></html>\n`];
  return { status, headers: { "Content-Type": "text/html" }, body };
}

/** Promises more than it sends, and hangs up. */
function sendHalf(response: ServerResponse, answer: Answer): void {
  const body = Buffer.from([...answer.body].join(""));
  response.writeHead(answer.status, { ...answer.headers, "Content-Length": String(body.length) });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}

async function sendWithFault(
  response: ServerResponse,
  request: AwsRequest,
  rule: FaultRule | undefined,
  state: AwsState,
  serial: number,
): Promise<void> {
  const plain = () => answerPlainly(request, state, serial, rule);
  const kind = rule?.kind;
  switch (kind) {
    case "hang":
      return;
    case "slow":
      await wait(rule?.ms ?? 1_000, undefined, { ref: false });
      break;
    case "cut":
      sendHalf(response, plain());
      return;
    case "garbage":
      send(response, answerPage(502, "502 Bad Gateway"));
      return;
    case "gone":
      send(response, answerPage(404, "404 Not Found"));
      return;
    case "throttle":
    case "expired":
    case "denied":
    case "opt-in":
    case "not-subscribed":
    case "unknown-action":
    case "signature":
    case "clock": {
      const { arn } = findIdentity(state, request.accessKeyId);
      const clock = rule && kind === "clock" ? readClock(rule, request) : undefined;
      const answer = answerError(request, wordError(kind, request, arn, clock));
      send(response, answer, clock && { Date: clock.serverTime.toUTCString() });
      return;
    }
    case "repeat-token":
    case "empty-page":
    case undefined:
      break;
    default:
      kind satisfies never;
  }
  send(response, plain());
}

/** Starts an endpoint that knows nothing yet; returns how to tell it, what it was asked, and what ends it. */
export async function startAwsEndpoint(): Promise<AwsEndpoint> {
  const state = createState();
  const faults = createFaultBook();
  const requests: LoggedRequest[] = [];
  let serial = 0;

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming);
    if (!request) {
      send(
        response,
        answerError(
          { protocol: incoming.headers["x-amz-target"] === undefined ? "query" : "json" },
          {
            status: 403,
            code: "MissingAuthenticationToken",
            message: "Request is missing Authentication Token",
          },
        ),
      );
      return;
    }
    const { service, action, region, accessKeyId, params } = request;
    const { account } = findIdentity(state, accessKeyId);
    requests.push({
      service,
      action,
      region,
      accessKeyId,
      params,
      account,
      atMs: performance.now(),
    });
    serial += 1;
    await sendWithFault(response, request, faults.take(request), state, serial);
  };
  const server = createServer((incoming, response) => {
    // A caller that hangs up in the middle is no concern of ours.
    answer(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    setInstances: state.instances.set,
    setAddresses: state.addresses.set,
    setStacks: state.stacks.set,
    setIdentity: (accessKeyId, identity) => {
      state.identities.set(accessKeyId, identity);
    },
    setRegions: (regions) => {
      state.regions = regions;
    },
    requests,
    fault: faults.add,
    clearFaults: faults.clear,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
