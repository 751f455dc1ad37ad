/** An answer of AWS, and the shape of its errors in each protocol. */
import { randomUUID } from "node:crypto";
import type { AwsRequest } from "./request.ts";
import { toXml, XML_HEAD } from "./xml.ts";
import type { Content } from "./xml.ts";

export type Answer = {
  status: number;
  headers: Record<string, string>;
  /** In pieces, so that a large page is never one string. */
  body: Iterable<string>;
};

const XML = { "Content-Type": "text/xml;charset=UTF-8" };
const JSON_1_1 = { "Content-Type": "application/x-amz-json-1.1" };

/** Takes an EC2 action and its pieces of XML; returns the answer. */
export function answerEc2(action: string, pieces: Iterable<string>): Answer {
  function* body(): Generator<string> {
    yield `${XML_HEAD}<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>${randomUUID()}</requestId>`;
    yield* pieces;
    yield `</${action}Response>`;
  }
  return { status: 200, headers: XML, body: body() };
}

/** Takes an STS action and its result; returns the answer. */
export function answerSts(action: string, result: Content): Answer {
  const content = {
    [`${action}Result`]: result,
    ResponseMetadata: { RequestId: randomUUID() },
  };
  return {
    status: 200,
    headers: XML,
    body: [
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${toXml(content)}</${action}Response>`,
    ],
  };
}

/** Takes a value; returns the answer of a JSON service. */
export function answerJson(value: unknown): Answer {
  return {
    status: 200,
    headers: { ...JSON_1_1, "x-amzn-RequestId": randomUUID() },
    body: [JSON.stringify(value)],
  };
}

export type AwsError = { status: number; code: string; message: string };

/** Takes the request and an error; returns it in the shape of the request's protocol. */
export function answerError(request: Pick<AwsRequest, "protocol">, error: AwsError): Answer {
  const { status, code, message } = error;
  if (request.protocol === "json")
    return {
      status,
      headers: { ...JSON_1_1, "x-amzn-RequestId": randomUUID() },
      body: [JSON.stringify({ __type: code, message })],
    };
  const said = { Code: code, Message: message };
  const body =
    request.protocol === "ec2"
      ? toXml({ Response: { Errors: { Error: said }, RequestID: randomUUID() } })
      : `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${toXml({ Error: { Type: status < 500 ? "Sender" : "Receiver", ...said }, RequestId: randomUUID() })}</ErrorResponse>`;
  return { status, headers: XML, body: [`${XML_HEAD}${body}`] };
}
