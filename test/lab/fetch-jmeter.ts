/** Fetching JMeter from the Maven registry, which has its parts, and putting them together as its distribution does. */
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fetchPart } from "./fetch-part.ts";
import type { FetchOptions, FetchReport } from "./fetch-part.ts";
import { JMETER_VERSION, jmeterFolder } from "./jmeter-cache.ts";

const PARTS = [
  "ApacheJMeter",
  "ApacheJMeter_http",
  "ApacheJMeter_functions",
  "ApacheJMeter_config",
];

const PROJECT = `<project><modelVersion>4.0.0</modelVersion>
<groupId>lab</groupId><artifactId>jmeter</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${PARTS.map(
  (part) => `<dependency><groupId>org.apache.jmeter</groupId>
<artifactId>${part}</artifactId><version>${JMETER_VERSION}</version></dependency>`,
).join("\n")}</dependencies></project>
`;

/** The script of its distribution is in no part of it. */
const PROGRAM = `#!/bin/sh
home=$(dirname "$0")
exec java -Xms64m -Xmx512m -jar "$home/ApacheJMeter.jar" "$@"
`;

/** Takes the environment variables, limits and Maven's program; fetches JMeter. Never throws. */
export function fetchJmeter({
  maven = "mvn",
  ...options
}: FetchOptions & { maven?: string }): Promise<FetchReport> {
  const folder = jmeterFolder(options.environment);
  return fetchPart(
    {
      name: "jmeter",
      registry: "maven",
      folder,
      make: async (unfinished, run) => {
        const project = path.join(unfinished, "pom.xml");
        writeFileSync(project, PROJECT);
        const [library, extensions] = [
          path.join(unfinished, "lib"),
          path.join(unfinished, "lib/ext"),
        ];
        await run(maven, [
          "--batch-mode",
          "--quiet",
          `--file=${project}`,
          "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
          "-DincludeScope=runtime",
          `-DoutputDirectory=${library}`,
        ]);
        for (const name of [extensions, path.join(library, "junit")])
          mkdirSync(name, { recursive: true });
        const jars = readdirSync(library);
        const settings = `ApacheJMeter_config-${JMETER_VERSION}.jar`;
        await run("jar", ["--extract", `--file=${path.join(library, settings)}`, "bin"]);
        for (const name of jars.filter((jar) => jar.startsWith("ApacheJMeter_")))
          renameSync(path.join(library, name), path.join(extensions, name));
        renameSync(
          path.join(library, `ApacheJMeter-${JMETER_VERSION}.jar`),
          path.join(unfinished, "bin/ApacheJMeter.jar"),
        );
        rmSync(project);
        const program = path.join(unfinished, "bin/jmeter");
        writeFileSync(program, PROGRAM);
        chmodSync(program, 0o755);
        await run(program, ["--version", "--jmeterlogfile", path.join(unfinished, "fetch.log")]);
        rmSync(path.join(unfinished, "fetch.log"), { force: true });
      },
    },
    options,
  );
}
