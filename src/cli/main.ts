import packageJson from "../../package.json" with { type: "json" };
import { hasOpenChange } from "../system/open-changes.ts";

/** Given the words of the command line, without node and script, do what they say and return the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  let isUnread = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A change is made to its end, and told by the exit code, whoever no longer reads.
      isUnread ||= error.code === "EPIPE" && hasOpenChange();
      if (isUnread && ["EPIPE", "ERR_STREAM_DESTROYED"].includes(error.code ?? "")) return;
      // Whoever read has seen enough (`| head`): a quiet end.
      if (error.code === "EPIPE") process.exit(0);
      if (stream === process.stdout)
        process.stderr.write(`lcops: cannot write the output: ${error.message}\n`);
      process.exit(1);
    });
  }
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
