/** What an autoscaling group or an impatient colleague does: the same name, another instance. */
import { askEc2, findValue, findValues, makeSubnet, networkOf, runInstance } from "./ask-aws.ts";
import type { AwsInstanceId, LabAws } from "./lab.ts";

/** Takes the XML of one instance; returns its tags but AWS's own. */
function readTags(xml: string): Record<string, string> {
  const [tagSet = ""] = /<tagSet>.*<\/tagSet>/s.exec(xml) ?? [];
  const keys = findValues(tagSet, "key");
  const values = [...tagSet.matchAll(/<value>([^<]*)<\/value>|<value\/>/g)].map(
    ([, value]) => value ?? "",
  );
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""]));
}

/**
 * Takes the lab's AWS, the name of a running instance and perhaps a private address; ends that instance and starts
 * another with its name, its tags and the same address or the given one, in the emulator as in the stand-in.
 * Returns the new one. Throws when there is not exactly one.
 */
export async function replaceInstance(
  aws: LabAws,
  name: string,
  options: { privateIpAddress?: string } = {},
): Promise<AwsInstanceId> {
  const search = {
    "Filter.1.Name": "tag:Name",
    "Filter.1.Value.1": name,
    "Filter.2.Name": "instance-state-name",
    "Filter.2.Value.1": "running",
  };
  const found = await Promise.all(
    aws.regions.map(async (region) => {
      const place = { endpointUrl: aws.endpointUrl, region };
      return { place, xml: await askEc2(place, "DescribeInstances", search) };
    }),
  );
  const [old, ...others] = found.filter(({ xml }) => xml.includes("<instanceId>"));
  if (!old || others.length > 0 || findValues(old.xml, "reservationId").length !== 1)
    throw new Error(`lab: not exactly one running instance is named ${name}`);
  const { place, xml } = old;
  await askEc2(place, "TerminateInstances", { "InstanceId.1": findValue(xml, "instanceId") });
  const oldAddress = findValue(xml, "privateIpAddress");
  const privateIpAddress = options.privateIpAddress ?? oldAddress;
  const stays = networkOf(privateIpAddress) === networkOf(oldAddress);
  const instanceId = await runInstance(place, {
    subnetId: stays ? findValue(xml, "subnetId") : await makeSubnet(place, privateIpAddress),
    privateIpAddress,
    instanceType: findValue(xml, "instanceType"),
    tags: readTags(xml),
  });
  return { region: place.region, instanceId };
}
