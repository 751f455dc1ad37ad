/** What can go wrong at AWS, and when it does. */
import type { AwsError } from "./answer.ts";
import { readToken } from "./paging.ts";
import type { AwsRequest } from "./request.ts";

type FaultKind =
  /** Never answers. */
  | "hang"
  /** Answers after `ms`. */
  | "slow"
  | "throttle"
  /** An expired session token. */
  | "expired"
  | "denied"
  /** A region that the account has not enabled: EC2 knows no key there. */
  | "opt-in"
  /** The account has not signed up for the service. */
  | "not-subscribed"
  /** The server's clock is `skewMs` ahead; who signs with its time is served. */
  | "clock"
  /** The connection ends in the middle of the answer. */
  | "cut"
  /** A proxy's HTML page, 502. */
  | "garbage"
  /** A web server's HTML page, 404: no API is served there any more. */
  | "gone"
  /** An API that knows no such action any more. */
  | "unknown-action"
  /** A signature that another key made, whatever the clock. */
  | "signature"
  /** DescribeInstances names the same next page for ever. */
  | "repeat-token"
  /** DescribeInstances answers an empty page, and where to go on. */
  | "empty-page";

/** When it happens: absent means any. Page 1 is the call without a token. */
export type FaultRule = {
  kind: FaultKind;
  service?: string;
  action?: string;
  region?: string;
  accessKeyId?: string;
  onPage?: number;
  /** How often; for ever when absent. */
  times?: number;
  ms?: number;
  skewMs?: number;
};

/** Five minutes, as AWS allows. */
const MOST_SKEW_MS = 300_000;

function matches(rule: FaultRule, request: AwsRequest): boolean {
  const same = (["service", "action", "region", "accessKeyId"] as const).every(
    (field) => rule[field] === undefined || rule[field] === request[field],
  );
  const page = readToken(request.fields["NextToken"])?.page;
  return same && (rule.onPage === undefined || rule.onPage === page);
}

/** Takes a rule and a request; returns the server's clock by it, and whether the request was signed far from it. */
export function readClock(
  rule: FaultRule,
  request: AwsRequest,
): { serverTime: Date; refused: boolean; signed: string } {
  const signed = String(request.headers["x-amz-date"] ?? "");
  const time = Date.parse(
    signed.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  const serverTime = new Date(Date.now() + (rule.skewMs ?? 3_600_000));
  return { serverTime, signed, refused: !(Math.abs(time - serverTime.getTime()) <= MOST_SKEW_MS) };
}

export type FaultBook = {
  /** Returns what takes the rule back. */
  add: (rule: FaultRule) => () => void;
  clear: () => void;
  /** The first rule for a request, counted as used. */
  take: (request: AwsRequest) => FaultRule | undefined;
};

/** Returns a keeper of rules. */
export function createFaultBook(): FaultBook {
  const entries = new Set<{ rule: FaultRule; left: number }>();
  return {
    add: (rule) => {
      const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      entries.add(entry);
      return () => {
        entries.delete(entry);
      };
    },
    clear: () => entries.clear(),
    take: (request) => {
      const entry = [...entries].find(({ rule }) => matches(rule, request));
      if (!entry) return undefined;
      if (entry.rule.kind === "clock" && !readClock(entry.rule, request).refused) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) entries.delete(entry);
      return entry.rule;
    },
  };
}

type ErrorKind =
  | "throttle"
  | "expired"
  | "denied"
  | "opt-in"
  | "not-subscribed"
  | "unknown-action"
  | "signature"
  | "clock";

const error = (status: number, code: string, message: string): AwsError => ({
  status,
  code,
  message,
});

/** Takes a kind of fault, the request and who sent it; returns AWS's error as that service words it. */
export function wordError(
  kind: ErrorKind,
  request: AwsRequest,
  caller: string,
  clock?: { serverTime: Date; signed: string },
): AwsError {
  const { protocol, service, action } = request;
  const byProtocol = (ec2: AwsError, query: AwsError, json: AwsError) =>
    ({ ec2, query, json })[protocol];
  const operation = `${service}:${action}`;
  const why = `is not authorized to perform: ${operation}`;
  const because = `because no identity-based policy allows the ${operation} action`;
  switch (kind) {
    case "throttle":
      return byProtocol(
        error(503, "RequestLimitExceeded", "Request limit exceeded."),
        error(400, "Throttling", "Rate exceeded"),
        error(400, "ThrottlingException", "Rate exceeded"),
      );
    case "expired":
      return byProtocol(
        error(400, "RequestExpired", "Request has expired."),
        error(403, "ExpiredToken", "The security token included in the request is expired"),
        error(
          400,
          "ExpiredTokenException",
          "The security token included in the request is expired",
        ),
      );
    case "denied":
      return byProtocol(
        error(
          403,
          "UnauthorizedOperation",
          `You are not authorized to perform this operation. User: ${caller} ${why} ${because}`,
        ),
        error(403, "AccessDenied", `User: ${caller} ${why}`),
        error(400, "AccessDeniedException", `User: ${caller} ${why} ${because}`),
      );
    case "opt-in":
      return byProtocol(
        error(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        error(403, "InvalidClientTokenId", "The security token included in the request is invalid"),
        error(
          400,
          "UnrecognizedClientException",
          "The security token included in the request is invalid.",
        ),
      );
    case "not-subscribed": {
      const message =
        "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.";
      return byProtocol(
        error(401, "OptInRequired", message),
        error(403, "OptInRequired", message),
        error(400, "OptInRequired", message),
      );
    }
    case "unknown-action": {
      const message = `The action ${action} is not valid for this web service.`;
      const invalid = error(400, "InvalidAction", message);
      return byProtocol(invalid, invalid, error(400, "UnknownOperationException", ""));
    }
    case "signature": {
      const message =
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.";
      return byProtocol(
        error(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        error(403, "SignatureDoesNotMatch", message),
        error(400, "InvalidSignatureException", message),
      );
    }
    case "clock": {
      const now = clock?.serverTime.toISOString().replaceAll(/[-:]|\.\d+/g, "") ?? "";
      const late = `Signature expired: ${clock?.signed ?? ""} is now earlier than ${now} (${now} - 5 min.)`;
      return byProtocol(
        error(400, "RequestExpired", "Request has expired."),
        error(403, "SignatureDoesNotMatch", late),
        error(400, "InvalidSignatureException", late),
      );
    }
    default:
      return kind satisfies never;
  }
}
