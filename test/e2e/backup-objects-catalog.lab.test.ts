/** Copies of buckets whose catalog is not on this machine any more. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type S3Proxy, startS3Proxy } from "../lab/s3-proxy.ts";
import { listFiles, makeObjectGround, type ObjectGround } from "../support/object-ground.ts";
import { useLab } from "../support/lab.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const { s3 } = await useLab("s3");
const withS3 = test.skipIf(!s3);

let ground: ObjectGround;
let door: S3Proxy;
beforeEach(async () => {
  if (!s3) return;
  door = await startS3Proxy(s3.url);
  ground = await makeObjectGround(s3, door.url);
  for (const key of ["a", "b", "c", "d"]) await ground.put(key, `body of ${key}`);
});
afterEach(async () => {
  ground?.remove();
  await door?.close();
});

const run = (): ReturnType<ObjectGround["lcops"]> => ground.lcops("backup", "run");

/** Runs once, loses the catalog, and returns where it was, and in which set it is still. */
async function loseCatalog(): Promise<{ setId: string; file: string }> {
  expect(await run()).toEqual(QUIET);
  const [setId = ""] = await ground.sets();
  const home = ground.at("home");
  const found = listFiles(home).find((name) => path.basename(name) === "catalog.ndjson");
  if (found === undefined) throw new Error("the job has no catalog at hand");
  const file = path.join(home, found);
  rmSync(file);
  door.script();
  return { setId, file };
}

/** Does what RESTORE.txt says. */
function putBack(setId: string, file: string): void {
  const text = listFiles(ground.at("operator")).find(
    (name) => name.includes(setId) && path.basename(name) === "RESTORE.txt",
  );
  if (text === undefined) throw new Error("the set has no RESTORE.txt");
  const restoreText = ground.at("operator", text);
  const command = readFileSync(restoreText, "utf8")
    .split("\n")
    .find((line) => line.includes("catalog.ndjson"));
  execFileSync("sh", ["-c", `${command} > "$0"`, file], { cwd: path.dirname(restoreText) });
}

withS3(
  "everything is copied anew, and that is said before it begins",
  async () => {
    await ground.keepVersions(ground.copy);
    const { setId, file } = await loseCatalog();
    const anew = await run();
    expect(anew).toMatchObject({ code: 0, stdout: "" });
    expect(anew.stderr).toBe(
      `lcops: objects: ${file}, the catalog of what was copied until ${setId}, is lost: everything is copied anew; to avoid that, stop this run, and write the catalog of ${setId} to ${file}, by the command in its RESTORE.txt\n`,
    );
    expect(door.count("CopyObject")).toBe(4);
    door.script();
    expect(await run()).toEqual(QUIET);
    expect(door.count("CopyObject")).toBe(0);
  },
  60_000,
);

withS3(
  "nothing is copied again once that of the newest set is put back, as the refusal says",
  async () => {
    const { setId, file } = await loseCatalog();
    // A bucket without versions: what is there would be lost.
    const refused = await run();
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(refused.stderr).toContain(`; write the catalog of ${setId} to ${file}, by the command`);
    expect(refused.stderr).not.toContain("copied anew");
    putBack(setId, file);
    door.script();
    expect(await run()).toEqual(QUIET);
    expect(door.count("CopyObject")).toBe(0);
    expect(await ground.lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
  },
  60_000,
);

withS3(
  "a source that has shrunk since the newest set is not believed either",
  async () => {
    await ground.keepVersions(ground.copy);
    await loseCatalog();
    for (const Key of ["a", "b"])
      await ground.client.send(new DeleteObjectCommand({ Bucket: ground.source, Key }));
    const refused = await run();
    expect(refused).toMatchObject({ code: 5, stdout: "" });
    expect(refused.stderr).toMatch(/has 2 objects instead of 4, 50 % fewer; nothing was copied/);
    expect(door.count("CopyObject")).toBe(0);
  },
  60_000,
);
