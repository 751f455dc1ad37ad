/** OpenSearch, which keeps the logs: one node with daily indices, and a folder for snapshots. */
import { chownSync, cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LabServices } from "./lab.ts";
import type { OpenSearchFiles } from "./opensearch-cache.ts";
import { findAccount, startServer } from "./process.ts";
import type { Account, LabContext, Server } from "./process.ts";
import { fetchBody } from "./ready.ts";
import { seedLogs } from "./seed-logs.ts";

const ADDRESS = "127.0.0.1";
/** Enough for a few thousand documents. */
const HEAP = "256m";

type Node = { folder: string; port: number; transportPort: number; snapshotFolder: string };

function nodeSettings(node: Node, product: OpenSearchFiles["product"]): string {
  return [
    "cluster.name: textlogs",
    "node.name: TextLogs",
    `network.host: ${ADDRESS}`,
    `http.port: ${node.port}`,
    `transport.port: ${node.transportPort}`,
    "discovery.type: single-node",
    `path.repo: ${node.snapshotFolder}`,
    // How full this machine is must not decide whether a test can write.
    "cluster.routing.allocation.disk.threshold_enabled: false",
    "action.auto_create_index: true",
    ...(product === "elasticsearch" ? ["xpack.security.enabled: false"] : []),
    "",
  ].join("\n");
}

/** As bin/opensearch would, less the two Java processes that it starts first, and with the compiler that is ready soonest. */
function javaArguments(
  { product, version }: OpenSearchFiles,
  folder: string,
  heap: string,
): string[] {
  const isElastic = product === "elasticsearch";
  const guard =
    !isElastic && Number(version.split(".")[0]) >= 3
      ? [`-javaagent:${folder}/agent/opensearch-agent.jar`]
      : ["-Djava.security.manager=allow"];
  const own = isElastic ? "es" : "opensearch";
  return [
    `-Xms${heap}`,
    `-Xmx${heap}`,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dfile.encoding=UTF-8",
    `-Djava.io.tmpdir=${folder}/tmp`,
    ...guard,
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    `-D${own}.path.home=${folder}`,
    `-D${own}.path.conf=${folder}/config`,
    ...(isElastic ? ["-Des.distribution.flavor=default"] : []),
    `-D${own}.distribution.type=zip`,
    `-D${own}.bundled_jdk=false`,
    "-cp",
    `${folder}/lib/*`,
    isElastic ? "org.elasticsearch.bootstrap.Elasticsearch" : "org.opensearch.bootstrap.OpenSearch",
  ];
}

/** It refuses root, and another user may not pass through to where the distribution is kept: so the node has a copy. */
function installNode(files: OpenSearchFiles, node: Node, account: Account | undefined): void {
  const { folder } = node;
  cpSync(files.folder, folder, { recursive: true, filter: (from) => !from.endsWith("/bin") });
  writeFileSync(
    path.join(folder, `config/${files.product}.yml`),
    nodeSettings(node, files.product),
  );
  for (const name of ["data", "logs", "tmp", "snapshots"])
    mkdirSync(path.join(folder, name), { recursive: true });
  if (account === undefined) return;
  for (const name of [".", ...readdirSync(folder, { recursive: true, encoding: "utf8" })])
    chownSync(path.join(folder, name), account.uid, account.gid);
}

async function probeHealth(port: number): Promise<void> {
  const body = await fetchBody(`http://${ADDRESS}:${port}/_cluster/health`);
  const { status } = JSON.parse(body.toString()) as { status: string };
  if (status === "red") throw new Error("the cluster is red");
}

/** A node that is installed: it may be started, and once it has ended started again with what it had. */
export type InstalledNode = { url: string; snapshotFolder: string; start(): Promise<Server> };

/** Takes where OpenSearch is; installs a node for an unprivileged user, empty and not started. */
export async function installOpenSearch(
  lab: LabContext,
  files: OpenSearchFiles,
  { heap = HEAP }: { heap?: string } = {},
): Promise<InstalledNode & { port: number }> {
  const folder = path.join(lab.folder, "opensearch");
  const snapshotFolder = path.join(folder, "snapshots");
  const [port, transportPort] = await Promise.all([lab.pickPort(ADDRESS), lab.pickPort(ADDRESS)]);
  const account = process.getuid?.() === 0 ? await findAccount(lab, "nobody") : undefined;
  installNode(files, { folder, port, transportPort, snapshotFolder }, account);
  return {
    url: `http://${ADDRESS}:${port}`,
    port,
    snapshotFolder,
    start: () =>
      startServer(lab, {
        name: "opensearch",
        command: files.java,
        args: javaArguments(files, folder, heap),
        folder,
        account,
        // Elasticsearch's own script sets it.
        environment: { LIBFFI_TMPDIR: `${folder}/tmp` },
        probe: () => probeHealth(port),
      }),
  };
}

/** Takes where OpenSearch is; starts a node as an unprivileged user, fills it and returns it once it answers. */
export async function startOpenSearch(
  lab: LabContext,
  files: OpenSearchFiles,
): Promise<NonNullable<LabServices["elasticsearch"]>> {
  const { url, port, snapshotFolder, start } = await installOpenSearch(lab, files);
  const server = await start();
  const documents = await seedLogs(url);
  return {
    address: ADDRESS,
    port,
    node: {
      pid: server.pid,
      product: files.product,
      version: files.version,
      snapshotFolder,
      documents,
    },
  };
}
