/** Fetching moto's server from the Python registry. */
import path from "node:path";
import { FetchEnded, fetchPart } from "./fetch-part.ts";
import type { FetchCommand, FetchOptions, FetchReport } from "./fetch-part.ts";
import { MOTO_REQUIREMENTS, motoFolder } from "./moto-cache.ts";

async function makeEnvironment(
  folder: string,
  pythons: string[],
  run: FetchCommand,
): Promise<void> {
  let problem: unknown = new Error("no Python");
  for (const python of pythons) {
    try {
      await run(python, ["-m", "venv", "--clear", folder]);
      return;
    } catch (error) {
      if (error instanceof FetchEnded) throw error;
      problem = error;
    }
  }
  throw new Error(
    `no Python here makes virtual environments (Debian's needs python3-venv): ${(problem as Error).message}`,
    { cause: problem },
  );
}

/** Takes the environment variables, limits and candidates for Python 3 with venv, the best first; fetches moto. Never throws. */
export function fetchMoto({
  pythons = ["python3", "/usr/bin/python3"],
  ...options
}: FetchOptions & { pythons?: string[] }): Promise<FetchReport> {
  const make = async (unfinished: string, run: FetchCommand) => {
    await makeEnvironment(unfinished, pythons, run);
    const python = path.join(unfinished, "bin/python");
    const pip = ["-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check"];
    await run(python, [...pip, "--prefer-binary", ...MOTO_REQUIREMENTS]);
    await run(python, ["-c", "import moto.server"]);
  };
  const folder = motoFolder(options.environment);
  return fetchPart({ name: "moto", registry: "pypi", folder, make }, options);
}
