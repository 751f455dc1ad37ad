/** For tests: a request to AWS as its clients send it, but for the signature. */

export type Asked = { status: number; headers: Headers; text: string };

export type AskOptions = {
  service?: string;
  region?: string;
  key?: string;
  date?: Date;
  signal?: AbortSignal;
};

function makeHeaders(options: AskOptions, service: string): Record<string, string> {
  const { region = "eu-west-1", key = "AKIATEST", date = new Date() } = options;
  const time = date.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${key}/${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  return {
    Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    "X-Amz-Date": time,
  };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal | undefined,
): Promise<Asked> {
  const response = await fetch(url, { method: "POST", headers, body, signal: signal ?? null });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Takes where, an action and its fields; returns the answer of a query service, EC2 when none is named. */
export function askQuery(
  url: string,
  action: string,
  fields: Record<string, string> = {},
  options: AskOptions = {},
): Promise<Asked> {
  const headers = {
    ...makeHeaders(options, options.service ?? "ec2"),
    "Content-Type": "application/x-www-form-urlencoded",
  };
  const body = new URLSearchParams({ Action: action, ...fields }).toString();
  return post(url, headers, body, options.signal);
}

/** Takes where, an action and its parameters; returns the answer of OpsWorks. */
export function askOpsWorks(
  url: string,
  action: string,
  params: Record<string, unknown> = {},
  options: AskOptions = {},
): Promise<Asked> {
  const headers = {
    ...makeHeaders(options, "opsworks"),
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": `OpsWorks_20130218.${action}`,
  };
  return post(url, headers, JSON.stringify(params), options.signal);
}
