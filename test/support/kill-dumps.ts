import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { scriptTable, startScriptedDynamoDb } from "../lab/scripted-dynamodb.ts";
import { makeDynamoGround } from "./dynamo-ground.ts";
import { startLcops } from "./run-lcops.ts";

const NAME = "numbers";

/**
 * Given the name of a file and how often, dump a table into it and kill the dump at a random page each time, resuming it until it is
 * whole, and beginning another one where kills are left. Throws where one differs from an undisturbed dump, or leaves something behind.
 */
export async function killDumps(
  name: string,
  kills: number,
): Promise<{ dumps: number; resumed: number }> {
  const plain = scriptTable({ name: NAME, items: 400, itemsByPage: 10 });
  let file = "";
  let atScan = Number.POSITIVE_INFINITY;
  let kill = (): void => undefined;
  /** The first one at least leaves what can be resumed. */
  let isFirst = true;
  const service = await startScriptedDynamoDb((call) => {
    if (call.operation !== "Scan") return plain(call);
    if (call.index >= atScan && (!isFirst || existsSync(`${file}.partial.json`))) kill();
    return { ...plain(call), delayMs: 80 };
  });
  const ground = await makeDynamoGround(service);
  file = path.join(ground.folder, name);
  const words = ["dyn", "dump-table", NAME, "-o", file, "--resume"];
  const read = (): string => {
    const bytes = readFileSync(file);
    const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
    return text.split("\n").toSorted().join("\n");
  };
  const finish = async (): Promise<void> => {
    const { code, stderr } = await ground.lcops(...words);
    if (code !== 0) throw new Error(`a dump ended with ${code}: ${stderr}`);
  };
  try {
    await finish();
    const undisturbed = read();
    let [left, dumps, resumed] = [kills, 0, 0];
    for (; left > 0; dumps++) {
      rmSync(file);
      while (left > 0 && !existsSync(file)) {
        atScan = service.count("Scan") + 3 + Math.floor(Math.random() * 30);
        const running = startLcops(words, { environment: ground.environment });
        kill = () => running.send("SIGKILL");
        const { signal, stderr } = await running.ended;
        if (signal === "SIGKILL") {
          left--;
          isFirst = false;
        }
        if (signal !== "SIGKILL" && stderr !== "") throw new Error(stderr);
      }
      atScan = Number.POSITIVE_INFINITY;
      if (!existsSync(file)) await finish();
      resumed += (JSON.parse(readFileSync(`${file}.manifest.json`, "utf8")) as { resumed: number })
        .resumed;
      if (read() !== undisturbed) throw new Error("a resumed dump is another one");
      const rest = readdirSync(ground.folder).filter((entry) => /partial|lock|\.tmp$/.test(entry));
      if (rest.length > 0) throw new Error(`left behind: ${rest.join(", ")}`);
    }
    return { dumps, resumed };
  } finally {
    await ground.remove();
  }
}
