/** A scripted AWS endpoint in a process of its own: `serve-instances.ts COUNT REGION...`; prints its address and serves until stdin ends. */
import { startAwsEndpoint } from "../lab/aws-endpoint.ts";
import { instanceId } from "../support/aws-ground.ts";

const [count, ...regions] = process.argv.slice(2);
const endpoint = await startAwsEndpoint();
for (const [place, region] of regions.entries()) {
  endpoint.setInstances(region, {
    count: Number(count),
    make: (index) => ({
      instanceId: instanceId(place * 1_000_000 + index),
      privateIpAddress: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
      tags: { Name: `${region}-${index}`, Environment: "prod", Role: "api" },
    }),
  });
}
process.stdout.write(`${endpoint.url}\n`);
process.stdin.resume().once("end", () => void endpoint.close());
