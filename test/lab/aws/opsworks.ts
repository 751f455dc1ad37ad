/** OpsWorks' DescribeStacks, DescribeLayers and DescribeInstances, in the shapes of its documentation. */
import { answerError, answerJson } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { AwsRequest } from "./request.ts";
import type { AwsState, OpsWorksStack } from "./state.ts";

const CREATED = "2014-06-02T09:12:43+00:00";

function describeStack(stack: OpsWorksStack, region: string, account: string): unknown {
  const { layers: _layers, instances: _instances, ...record } = stack;
  return {
    Region: region,
    Arn: `arn:aws:opsworks:${region}:${account}:stack/${stack.StackId}/`,
    Attributes: { Color: "rgb(45, 114, 184)" },
    ServiceRoleArn: `arn:aws:iam::${account}:role/aws-opsworks-service-role`,
    DefaultInstanceProfileArn: `arn:aws:iam::${account}:instance-profile/aws-opsworks-ec2-role`,
    DefaultOs: "Ubuntu 14.04 LTS",
    HostnameTheme: "Layer_Dependent",
    DefaultAvailabilityZone: `${region}a`,
    DefaultRootDeviceType: "ebs",
    ConfigurationManager: { Name: "Chef", Version: "11.10" },
    ChefConfiguration: { ManageBerkshelf: false },
    UseCustomCookbooks: false,
    UseOpsworksSecurityGroups: true,
    CreatedAt: CREATED,
    AgentVersion: "3453-20190416181544",
    ...record,
  };
}

function describeLayer(stack: OpsWorksStack, layer: OpsWorksStack["layers"][number]): unknown {
  return {
    StackId: stack.StackId,
    Type: "custom",
    Attributes: {},
    CustomSecurityGroupIds: [],
    DefaultSecurityGroupNames: ["AWS-OpsWorks-Custom-Server"],
    Packages: [],
    VolumeConfigurations: [],
    EnableAutoHealing: true,
    AutoAssignElasticIps: false,
    AutoAssignPublicIps: true,
    DefaultRecipes: { Setup: [], Configure: [], Deploy: [], Undeploy: [], Shutdown: [] },
    CustomRecipes: { Setup: [], Configure: [], Deploy: [], Undeploy: [], Shutdown: [] },
    CreatedAt: CREATED,
    InstallUpdatesOnBoot: true,
    UseEbsOptimizedInstances: false,
    ...layer,
  };
}

function describeInstance(
  stack: OpsWorksStack,
  instance: OpsWorksStack["instances"][number],
): unknown {
  return {
    StackId: stack.StackId,
    Status: "online",
    Os: "Ubuntu 14.04 LTS",
    Architecture: "x86_64",
    InstanceType: "m3.medium",
    RootDeviceType: "ebs",
    VirtualizationType: "paravirtual",
    SshHostRsaKeyFingerprint: "4d:c1:0e:5e:1b:71:42:4f:9a:3e:a4:0a:4b:8c:19:f5",
    SshKeyName: "ops",
    SecurityGroupIds: [],
    CreatedAt: CREATED,
    EbsOptimized: false,
    InstallUpdatesOnBoot: true,
    ReportedOs: { Family: "Debian", Name: "ubuntu", Version: "14.04" },
    ...instance,
  };
}

/** Takes a request for OpsWorks, the state and the caller's account; returns the answer. */
export function answerOpsWorks(request: AwsRequest, state: AwsState, account: string): Answer {
  const { params, region, action } = request;
  const stacks = state.stacks.get(region, account) ?? [];
  const refuse = (code: string, message: string) =>
    answerError(request, { status: 400, code, message });
  const missing = (what: string, id: unknown) =>
    refuse("ResourceNotFoundException", `Unable to find ${what} with ID ${id as string}`);
  const given = (...names: string[]) => names.filter((name) => params[name] !== undefined);
  const list = (name: string) => params[name] as string[] | undefined;

  if (action === "DescribeStacks") {
    const ids = list("StackIds");
    const unknown = ids?.find((id) => !stacks.some(({ StackId }) => StackId === id));
    if (unknown !== undefined) return missing("stack", unknown);
    const chosen = stacks.filter(({ StackId }) => ids === undefined || ids.includes(StackId));
    return answerJson({ Stacks: chosen.map((stack) => describeStack(stack, region, account)) });
  }
  if (action !== "DescribeLayers" && action !== "DescribeInstances")
    return refuse("UnknownOperationException", "");

  const ways =
    action === "DescribeLayers"
      ? given("StackId", "LayerIds")
      : given("StackId", "LayerId", "InstanceIds");
  if (ways.length !== 1)
    return refuse(
      "ValidationException",
      ways.length === 0
        ? "Please provide one or more arguments"
        : "Please provide only one argument",
    );
  const stackId = params["StackId"];
  if (stackId !== undefined && !stacks.some(({ StackId }) => StackId === stackId))
    return missing("stack", stackId);
  const chosen = stacks.filter(({ StackId }) => stackId === undefined || StackId === stackId);
  if (action === "DescribeLayers") {
    const ids = list("LayerIds");
    return answerJson({
      Layers: chosen.flatMap((stack) =>
        stack.layers
          .filter(({ LayerId }) => ids === undefined || ids.includes(LayerId))
          .map((layer) => describeLayer(stack, layer)),
      ),
    });
  }
  const ids = list("InstanceIds");
  const layerId = params["LayerId"];
  return answerJson({
    Instances: chosen.flatMap((stack) =>
      stack.instances
        .filter(({ InstanceId }) => ids === undefined || ids.includes(InstanceId))
        .filter(({ LayerIds }) => layerId === undefined || LayerIds.includes(layerId as string))
        .map((instance) => describeInstance(stack, instance)),
    ),
  });
}
