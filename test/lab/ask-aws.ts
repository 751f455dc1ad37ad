/** Asking an emulated AWS in EC2's query protocol: it does not check signatures, so that no library is needed. */

/** Where to ask, and for which region. */
export type AwsPlace = { endpointUrl: string; region: string };

/** Takes a place, an action and its fields; returns the XML of the answer. Throws with AWS's message when it refuses. */
export async function askEc2(
  place: AwsPlace,
  action: string,
  fields: Record<string, string> = {},
): Promise<string> {
  const scope = `AKIALCOPSLABSEED0000/20260101/${place.region}/ec2/aws4_request`;
  const response = await fetch(place.endpointUrl, {
    method: "POST",
    headers: {
      Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      "Content-Type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({ Action: action, Version: "2016-11-15", ...fields }),
    signal: AbortSignal.timeout(120_000),
  });
  const text = await response.text();
  if (response.ok) return text;
  const said = findValues(text, "Message")[0] ?? text.slice(0, 200);
  throw new Error(`lab: ${action} in ${place.region}: ${response.status} ${said}`);
}

/** Takes XML and an element's name; returns the texts of all such elements, in order. */
export function findValues(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(
    ([, value]) => value ?? "",
  );
}

/** Takes XML and an element's name; returns the text of the first. Throws when there is none. */
export function findValue(xml: string, name: string): string {
  const [value] = findValues(xml, name);
  if (value === undefined) throw new Error(`lab: no ${name} in ${xml.slice(0, 200)}`);
  return value;
}

/** Takes an IPv4 address; returns the three numbers with which it begins. */
export function networkOf(address: string): string {
  return address.split(".").slice(0, 3).join(".");
}

/** Takes a place and an address; makes a network around the address, and returns the id of its subnet. */
export async function makeSubnet(place: AwsPlace, address: string): Promise<string> {
  const block = { CidrBlock: `${networkOf(address)}.0/24` };
  const vpcId = findValue(await askEc2(place, "CreateVpc", block), "vpcId");
  const made = await askEc2(place, "CreateSubnet", { VpcId: vpcId, ...block });
  return findValue(made, "subnetId");
}

/** Takes what the new instance is like; starts it, and returns its id. */
export async function runInstance(
  place: AwsPlace,
  wish: {
    subnetId: string;
    privateIpAddress: string;
    instanceType: string;
    tags: Record<string, string>;
  },
): Promise<string> {
  const tags = Object.entries(wish.tags).flatMap(([key, value], index) => [
    [`TagSpecification.1.Tag.${index + 1}.Key`, key],
    [`TagSpecification.1.Tag.${index + 1}.Value`, value],
  ]);
  const answer = await askEc2(place, "RunInstances", {
    ImageId: "ami-0abcdef1234567890",
    MinCount: "1",
    MaxCount: "1",
    InstanceType: wish.instanceType,
    KeyName: "ops",
    // Said of the interface, since only so does moto give the address free when the instance ends.
    "NetworkInterface.1.DeviceIndex": "0",
    "NetworkInterface.1.SubnetId": wish.subnetId,
    "NetworkInterface.1.PrivateIpAddress": wish.privateIpAddress,
    "NetworkInterface.1.DeleteOnTermination": "true",
    "TagSpecification.1.ResourceType": "instance",
    ...Object.fromEntries(tags),
  });
  return findValue(answer, "instanceId");
}
