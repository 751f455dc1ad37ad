/** The actions of EC2 that the endpoint knows, but DescribeInstances. */
import { randomBytes } from "node:crypto";
import { answerEc2, answerError } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { filterAddresses, readFilters } from "./filters.ts";
import { describeInstance, STATE_CODES, toTagSet } from "./instance-xml.ts";
import { readList } from "./request.ts";
import type { AwsRequest } from "./request.ts";
import { asSource } from "./state.ts";
import type { AwsInstance, AwsState } from "./state.ts";
import { toXml } from "./xml.ts";

type Action = (request: AwsRequest, state: AwsState, account: string) => Answer;

const makeId = (kind: string) => `${kind}-0${randomBytes(8).toString("hex")}`;

const describeAddresses: Action = (request, state, account) => {
  const passes = filterAddresses(readFilters(request.fields));
  if (typeof passes === "string")
    return answerError(request, {
      status: 400,
      code: "InvalidParameterValue",
      message: `The filter '${passes}' is invalid`,
    });
  const all = state.addresses.get(request.region, account) ?? [];
  const ids = readList(request.fields, "AllocationId");
  const unknown = ids.find((id) => !all.some(({ allocationId }) => allocationId === id));
  if (unknown !== undefined)
    return answerError(request, {
      status: 400,
      code: "InvalidAllocationID.NotFound",
      message: `The allocation ID '${unknown}' does not exist`,
    });
  const found = all.filter(
    (address) => (ids.length === 0 || ids.includes(address.allocationId)) && passes(address),
  );
  const addressesSet = found.map((address) => ({
    publicIp: address.publicIp,
    allocationId: address.allocationId,
    domain: "vpc",
    instanceId: address.instanceId,
    associationId: address.associationId ?? (address.instanceId && "eipassoc-0f0f0f0f0f0f0f0f0"),
    networkInterfaceOwnerId: address.instanceId && account,
    privateIpAddress: address.privateIpAddress,
    tagSet: toTagSet(address.tags),
    publicIpv4Pool: "amazon",
    networkBorderGroup: request.region,
  }));
  return answerEc2("DescribeAddresses", [toXml({ addressesSet })]);
};

const describeRegions: Action = (request, state) => {
  const names = readList(request.fields, "RegionName");
  const statuses = readFilters(request.fields).find(({ name }) => name === "opt-in-status")?.values;
  const unknown = names.find((name) => !Object.hasOwn(state.regions, name));
  if (unknown !== undefined)
    return answerError(request, {
      status: 400,
      code: "InvalidParameterValue",
      message: `Invalid region provided: [${unknown}]`,
    });
  const all = request.fields["AllRegions"] === "true";
  const regionInfo = Object.entries(state.regions)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .filter(([, status]) => all || status !== "not-opted-in")
    .filter(([, status]) => statuses === undefined || statuses.includes(status))
    .map(([regionName, optInStatus]) => ({
      regionName,
      regionEndpoint: `ec2.${regionName}.amazonaws.com`,
      optInStatus,
    }));
  return answerEc2("DescribeRegions", [toXml({ regionInfo })]);
};

const getConsoleOutput: Action = (request, state) => {
  const { InstanceId: instanceId = "", Latest } = request.fields;
  const { output, latest } = state.consoles.get(instanceId) ?? {};
  if (Latest === "true" && latest === undefined)
    return answerError(request, {
      status: 400,
      code: "UnsupportedOperation",
      message: "This instance type does not support retrieving the latest console logs.",
    });
  const text = Latest === "true" ? latest : output;
  const timestamp = new Date().toISOString();
  return answerEc2("GetConsoleOutput", [
    toXml({ instanceId, timestamp, output: text && Buffer.from(text).toString("base64") }),
  ]);
};

/** Only what replacing an instance needs: one instance, with a subnet, a private address and tags. */
const runInstances: Action = (request, state, account) => {
  const { fields, region } = request;
  const field = (name: string) => fields[name] ?? fields[`NetworkInterface.1.${name}`];
  const tags: Record<string, string> = {};
  for (let index = 1; `TagSpecification.1.Tag.${index}.Key` in fields; index += 1)
    tags[fields[`TagSpecification.1.Tag.${index}.Key`] ?? ""] =
      fields[`TagSpecification.1.Tag.${index}.Value`] ?? "";
  const wished = {
    privateIpAddress: field("PrivateIpAddress"),
    subnetId: field("SubnetId"),
    instanceType: field("InstanceType"),
    imageId: field("ImageId"),
    keyName: field("KeyName"),
  };
  const instance: AwsInstance = {
    instanceId: makeId("i"),
    tags,
    launchTime: new Date().toISOString(),
    ...Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined)),
  };
  const { count, make } = asSource(state.instances.get(region, account));
  const others = Array.from({ length: count }, (_none, index) => make(index));
  state.instances.set(region, [...others.filter((other) => other !== undefined), instance]);
  return answerEc2("RunInstances", [
    toXml({
      reservationId: `r-${instance.instanceId.slice(2)}`,
      ownerId: account,
      instancesSet: [describeInstance({ ...instance, state: "pending" }, region)],
    }),
  ]);
};

/** At once: what a machine passes through on its way there nobody here waits for. */
const changeState =
  (action: string, state: "terminated" | "stopped", shown: "shutting-down" | "stopping"): Action =>
  (request, estate, account) => {
    const ids = new Set(readList(request.fields, "InstanceId"));
    const { count, make } = asSource(estate.instances.get(request.region, account));
    const all = Array.from({ length: count }, (_none, index) => make(index)).filter(
      (instance) => instance !== undefined,
    );
    estate.instances.set(
      request.region,
      all.map((instance) => (ids.has(instance.instanceId) ? { ...instance, state } : instance)),
    );
    const instancesSet = [...ids].map((instanceId) => ({
      instanceId,
      currentState: { code: STATE_CODES[shown], name: shown },
      previousState: { code: STATE_CODES.running, name: "running" },
    }));
    return answerEc2(action, [toXml({ instancesSet })]);
  };

const createVpc: Action = ({ fields }) =>
  answerEc2("CreateVpc", [
    toXml({ vpc: { vpcId: makeId("vpc"), cidrBlock: fields["CidrBlock"], state: "available" } }),
  ]);

const createSubnet: Action = ({ fields }) => {
  const { VpcId: vpcId, CidrBlock: cidrBlock } = fields;
  const subnet = { subnetId: makeId("subnet"), vpcId, cidrBlock, state: "available" };
  return answerEc2("CreateSubnet", [toXml({ subnet })]);
};

export const EC2_ACTIONS = new Map<string, Action>(
  Object.entries({
    CreateSubnet: createSubnet,
    CreateVpc: createVpc,
    DescribeAddresses: describeAddresses,
    DescribeRegions: describeRegions,
    GetConsoleOutput: getConsoleOutput,
    RunInstances: runInstances,
    StopInstances: changeState("StopInstances", "stopped", "stopping"),
    TerminateInstances: changeState("TerminateInstances", "terminated", "shutting-down"),
  }),
);
