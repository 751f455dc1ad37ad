/** Plans of JMeter as its window saves them. */

export interface PlanOptions {
  users?: number;
  /** -1: without an end. */
  loops?: number;
}

const prop = (kind: string, name: string, value: string | number): string =>
  `<${kind}Prop name="${name}">${value}</${kind}Prop>`;

function makeSampler(path: string): string {
  return `<HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="GET ${path}">
<elementProp name="HTTPsampler.Arguments" elementType="Arguments" guiclass="HTTPArgumentsPanel" testclass="Arguments" testname="none"><collectionProp name="Arguments.arguments"/></elementProp>
${prop("string", "HTTPSampler.domain", "127.0.0.1")}
${prop("string", "HTTPSampler.port", "${__P(port)}")}
${prop("string", "HTTPSampler.path", path)}
${prop("string", "HTTPSampler.method", "GET")}
</HTTPSamplerProxy><hashTree/>`;
}

/** Takes paths and options; returns a plan whose users ask each path in each loop, of the port that its property says. */
export function makePlan(paths: readonly string[], options: PlanOptions = {}): string {
  const { users = 2, loops = 5 } = options;
  return `<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.5"><hashTree>
<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="plan"/><hashTree>
<ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="users">
${prop("string", "ThreadGroup.on_sample_error", "continue")}
<elementProp name="ThreadGroup.main_controller" elementType="LoopController" guiclass="LoopControlPanel" testclass="LoopController" testname="loop">
${prop("bool", "LoopController.continue_forever", "false")}${prop("int", "LoopController.loops", loops)}
</elementProp>
${prop("int", "ThreadGroup.num_threads", users)}${prop("int", "ThreadGroup.ramp_time", 0)}
</ThreadGroup><hashTree>${paths.map(makeSampler).join("\n")}</hashTree>
</hashTree></hashTree></jmeterTestPlan>
`;
}
