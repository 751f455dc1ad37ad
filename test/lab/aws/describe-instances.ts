/** EC2's DescribeInstances: filters, ids, pages. */
import { answerEc2, answerError } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { filterInstances, readFilters } from "./filters.ts";
import { writeReservations } from "./instance-xml.ts";
import { makeToken, readToken } from "./paging.ts";
import { readList } from "./request.ts";
import type { AwsRequest } from "./request.ts";
import { asSource } from "./state.ts";
import type { AwsInstance, AwsState } from "./state.ts";

const MOST_PER_PAGE = 1_000;

/** How a fault bends the pages. */
export type PageFault = "repeat-token" | "empty-page" | undefined;

function findMistake(request: AwsRequest, ids: string[]): string | undefined {
  const most = request.fields["MaxResults"];
  if (most === undefined) return undefined;
  if (ids.length > 0)
    return "The parameter instancesSet cannot be used with the parameter maxResults";
  const count = Number(most);
  return Number.isInteger(count) && count >= 5 && count <= MOST_PER_PAGE
    ? undefined
    : `Value ( ${most} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.`;
}

/** Takes a request, the state, the caller's account and a number that never repeats; returns the answer. */
export function describeInstances(
  request: AwsRequest,
  state: AwsState,
  account: string,
  serial: number,
  pageFault?: PageFault,
): Answer {
  const refuse = (code: string, message: string) =>
    answerError(request, { status: 400, code, message });
  const ids = readList(request.fields, "InstanceId");
  const mistake = findMistake(request, ids);
  if (mistake !== undefined)
    return refuse(
      ids.length > 0 ? "InvalidParameterCombination" : "InvalidParameterValue",
      mistake,
    );
  const passes = filterInstances(readFilters(request.fields));
  if (typeof passes === "string")
    return refuse("InvalidParameterValue", `The filter '${passes}' is invalid`);
  const place = readToken(request.fields["NextToken"]);
  if (!place) return refuse("InvalidParameterValue", "Invalid value for NextToken");
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (malformed !== undefined)
    return refuse("InvalidInstanceID.Malformed", `Invalid id: "${malformed}"`);

  const { count, make } = asSource(state.instances.get(request.region, account));
  const most = Number(request.fields["MaxResults"] ?? MOST_PER_PAGE);
  const wanted = new Set(ids);
  const page: AwsInstance[] = [];
  let { offset } = place;
  let next: number | undefined;
  for (; pageFault !== "empty-page" && offset < count; offset += 1) {
    const instance = make(offset);
    if (!instance || (ids.length > 0 && !wanted.has(instance.instanceId)) || !passes(instance))
      continue;
    if (page.length === most) {
      next = offset;
      break;
    }
    page.push(instance);
  }
  const found = new Set(page.map(({ instanceId }) => instanceId));
  const unknown = ids.filter((id) => !found.has(id));
  if (unknown.length > 0 && readFilters(request.fields).length === 0)
    return refuse(
      "InvalidInstanceID.NotFound",
      unknown.length === 1
        ? `The instance ID '${unknown[0]}' does not exist`
        : `The instance IDs '${unknown.join(", ")}' do not exist`,
    );

  let token =
    next === undefined ? undefined : makeToken({ offset: next, page: place.page + 1 }, serial);
  if (pageFault === "empty-page") token = makeToken({ ...place, page: place.page + 1 }, serial);
  if (pageFault === "repeat-token") token = makeToken({ offset: 0, page: 1 }, 0);
  function* write(): Generator<string> {
    yield "<reservationSet>";
    yield* writeReservations(page, request.region, account);
    yield "</reservationSet>";
    if (token !== undefined) yield `<nextToken>${token}</nextToken>`;
  }
  return answerEc2("DescribeInstances", write());
}
