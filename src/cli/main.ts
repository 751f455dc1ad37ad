import packageJson from "../../package.json" with { type: "json" };
import { watchOutput } from "./watch-output.ts";

/** Given the words of the command line, without node and script, do what they say and return the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  watchOutput();
  if (words.length === 1 && words[0] === "--version") {
    process.stdout.write(`${packageJson.version}\n`);
    return 0;
  }
  const { runLcops } = await import("./run-lcops.ts");
  return runLcops(words, packageJson.version);
}

/** What `bin/supervise.js` runs: see `supervise`. */
export async function keepTunnels(): Promise<number> {
  const { supervise } = await import("./supervise.ts");
  return supervise();
}
