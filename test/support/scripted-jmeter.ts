/** A program that is called as JMeter is; its plan is a shell script that says what the run does. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ScriptedPrograms } from "./scripted-programs.ts";

const JMETER = `version=5.5
while [ $# -gt 0 ]; do
  case $1 in
    -t) plan=$2 ;; -l) results=$2 ;; -j) log=$2 ;; -o) report=$2 ;; -q) properties=$2 ;;
  esac
  shift
done
. "\${plan:-/dev/null}"
echo "INFO o.a.j.JMeter: Version $version" >> "$log"
if [ -n "$report" ]; then
  mkdir -p "$report" && echo page > "$report/index.html"
  if [ -e "$(dirname "$report")/no-report" ]; then exit 1; fi
fi
exit \${code:-0}`;

const HEAD = "timeStamp,elapsed,label,responseCode,responseMessage,success,failureMessage";

export interface SampleOptions {
  label?: string;
  elapsedMs?: number;
  /** The server's answer; 5xx fails. */
  answer?: string;
}

/** Returns a plan of the shell that writes so many samples. */
export function sampleScript(count: number, options: SampleOptions = {}): string {
  const { label = "GET /", elapsedMs = 10, answer = "200 OK" } = options;
  const [code = "", ...message] = answer.split(" ");
  const isGood = !code.startsWith("5");
  const line = (at: number): string =>
    `${1_700_000_000_000 + at},${elapsedMs},${label},${code},${message.join(" ")},${isGood},`;
  const lines = Array.from({ length: count }, (_, at) => line(at)).join("\n");
  return `[ -e "$results" ] || echo ${HEAD} > "$results"
cat >> "$results" <<'END'
${lines}
END`;
}

/** Writes the program and returns its path. */
export const writeJmeter = (programs: ScriptedPrograms): string => programs.write("jmeter", JMETER);

let serial = 0;
/** Writes a plan and makes the folder of a run, and returns both. */
export function makeRun(programs: ScriptedPrograms, script: string) {
  const folder = path.join(programs.folder, `run-${++serial}`);
  mkdirSync(folder);
  const plan = path.join(programs.folder, `plan-${serial}.sh`);
  writeFileSync(plan, script);
  return { folder, plan };
}
