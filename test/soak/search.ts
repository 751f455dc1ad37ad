import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { Manifest } from "../../src/backup/manifest.ts";
import { makeBackupGround } from "../support/backup-ground.ts";
import { startLcops } from "../support/run-lcops.ts";
import { installSearchNode, type SearchNode } from "../support/search-node.ts";

const INDICES = ["logs-2026.11.23", "logs-2026.11.24", "logs-2026.11.25"];
const DOCUMENTS = 20_000;
const RUN_LIMIT_MS = 240_000;

/**
 * Given how often (16), kill the node (every other time) or lcops at a random moment of an export and of a snapshot by turns; return what was seen. Throws
 * where a complete set has fewer documents than there are, a run that was not whole ends with 0, the next does not work, or anything is left behind.
 */
export async function soakSearch(count = 16): Promise<string> {
  const node = await installSearchNode();
  if (typeof node === "string") throw new Error(`there is no OpenSearch: ${node}`);
  const ground = makeBackupGround();
  try {
    let server = await node.start();
    await fill(node);
    ground.configure((config) => {
      config.services = {
        logs: { kind: "elasticsearch", environment: "dev", address: "127.0.0.1", port: node.port },
      };
      const register = { type: "fs", settings: { location: "soak" } };
      if (config.backups)
        config.backups.jobs = {
          export: { service: "logs", elasticsearch: { way: "export" } },
          snapshot: { service: "logs", elasticsearch: { register } },
        };
    });
    const lcops = async (...words: string[]): Promise<void> => {
      const { code, stdout, stderr } = await ground.run(words, { timeoutMs: RUN_LIMIT_MS });
      if (code !== 0 || stdout + stderr !== "")
        throw new Error(`lcops ${words.join(" ")}: ${code}\n${stdout}${stderr}`);
    };
    const tookMs: Record<string, number> = {};
    for (const job of ["export", "snapshot"]) {
      const begin = performance.now();
      await lcops("backup", "run", job);
      tookMs[job] = performance.now() - begin;
    }

    const seen = { nodes: 0, programs: 0, whole: 0, failed: 0 };
    for (let round = 0; round < count; round++) {
      const job = round % 2 === 0 ? "export" : "snapshot";
      const victim = round % 4 < 2 ? "node" : "lcops";
      // Of every index, or nothing would be read again.
      for (const index of INDICES) await write(node, index, [`again-${round}`]);
      const before = await ground.sets();
      const running = startLcops(["backup", "run", job], {
        environment: ground.environment,
        timeoutMs: RUN_LIMIT_MS,
      });
      await Promise.race([wait(Math.random() * (tookMs[job] ?? 0)), running.ended]);
      if (victim === "node") {
        process.kill(server.pid, "SIGKILL");
        await server.stop();
        server = await node.start();
        seen.nodes++;
      } else {
        running.send("SIGKILL");
        seen.programs++;
      }
      const { code, stderr } = await running.ended;
      const made = (await ground.sets()).filter((setId) => !before.includes(setId));
      if (code === 0 && made.length !== 1)
        throw new Error(`${round}: it ended with 0, and made ${made.length} sets`);
      for (const setId of made)
        check(readManifest(ground.at("server/manifests"), job, setId), round);
      seen[code === 0 ? "whole" : "failed"]++;
      if (code !== 0 && code !== null && stderr === "")
        throw new Error(`${round}: it ended with ${code}, and did not say why`);
      await lcops("backup", "run", job);
    }
    for (const job of ["export", "snapshot"]) {
      await lcops("backup", "verify", "--level", "decode", job);
      await lcops("backup", "drill", job);
    }
    await lcops("backup", "gc", "--yes");
    const { stdout } = await ground.run(["backup", "list", "snapshot", "--json"], {});
    await refuseLeftovers(node, (JSON.parse(stdout) as { sets: object[] }).sets.length);
    return `the node was killed under ${seen.nodes} runs and ${seen.programs} runs were killed: ${seen.whole} ended whole, ${seen.failed} did not and said so; every complete set has all its documents, both newest are proven, nothing is left`;
  } finally {
    ground.remove();
    await node.remove();
  }
}

function readManifest(folder: string, job: string, setId: string): Manifest {
  return JSON.parse(readFileSync(`${folder}/${job}/${setId}.json`, "utf8")) as Manifest;
}

let written = INDICES.length * DOCUMENTS;

function check({ result, facts, setId, job }: Manifest, round: number): void {
  if (result !== "complete") return;
  const rows = facts.reduce((sum, fact) => sum + (fact.rows ?? 0), 0);
  if (rows !== written || facts.length !== INDICES.length)
    throw new Error(`${round}: ${job} ${setId} has ${rows} documents of ${written}`);
}

async function fill(node: SearchNode): Promise<void> {
  written = INDICES.length * DOCUMENTS;
  for (const index of INDICES) {
    const settings = { number_of_shards: 2, number_of_replicas: 0 };
    await send(node, "PUT", `/${index}`, JSON.stringify({ settings }));
    const ids = Array.from({ length: DOCUMENTS }, (_, id) => `${id}`);
    await write(node, index, ids);
  }
  written = INDICES.length * DOCUMENTS;
}

async function write(node: SearchNode, index: string, ids: readonly string[]): Promise<void> {
  const message = "what a server says of a request that it has answered ".repeat(4);
  const lines = ids.map((id) => `{"index":{"_id":"${id}"}}\n{"id":"${id}","m":"${message}"}\n`);
  await send(node, "POST", `/${index}/_bulk?refresh=true`, lines.join(""));
  written += ids.length;
}

async function send(
  { url }: SearchNode,
  method: string,
  path: string,
  body?: string,
): Promise<string> {
  const type = path.includes("_bulk") ? "application/x-ndjson" : "application/json";
  const answer = await fetch(url + path, {
    method,
    ...(body !== undefined && { body, headers: { "content-type": type } }),
  });
  const text = await answer.text();
  if (!answer.ok || text.includes('"errors":true'))
    throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
  return text;
}

/** No index of a drill and no template, no snapshot that no set has. */
async function refuseLeftovers(node: SearchNode, sets: number): Promise<void> {
  const hidden = "format=json&expand_wildcards=all";
  const drills = await send(node, "GET", `/_cat/indices/lcops_drill_*?${hidden}`);
  if (drills !== "[]") throw new Error(`left of drills: ${drills}`);
  const templates = await send(node, "GET", "/_index_template");
  if (templates.includes("lcops_drill_")) throw new Error(`left of drills: ${templates}`);
  const { snapshots } = JSON.parse(await send(node, "GET", "/_snapshot/lcops/_all")) as {
    snapshots: { snapshot: string }[];
  };
  if (snapshots.length > sets) throw new Error(`${snapshots.length} snapshots, and ${sets} sets`);
}
