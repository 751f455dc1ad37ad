import { expect, test } from "vitest";
import { renderFindings } from "../../src/commands/doctor.ts";
import type { Finding } from "../../src/system/finding.ts";
import { PIPED } from "../support/fake-context.ts";
import { makeFakeTerminal, type Setting } from "../terminal/fake-streams.ts";

const FINDINGS: Finding[] = [
  { area: "program", name: "ssh", state: "ok", detail: "OpenSSH 9" },
  { area: "program", name: "age", state: "warn", detail: "missing", next: "install age" },
  { area: "host", name: "web\u001b", state: "fail", detail: "refused", next: "start its sshd" },
];

async function render(flags: Setting["flags"] = {}): Promise<{ out: string; err: string }> {
  const { terminal, out, err } = makeFakeTerminal({ ...PIPED, flags });
  await renderFindings(FINDINGS, { terminal });
  return { out: out(), err: err() };
}

test("findings are a line each; what must be mended is said even where nobody watches", async () => {
  expect(await render()).toEqual({
    out: "ok\tprogram\tssh\tOpenSSH 9\nwarn\tprogram\tage\tmissing\nfail\thost\tweb\\x1b\trefused\n",
    err: "web\\x1b: start its sshd\n",
  });
  expect((await render({ verbose: true })).err).toBe(
    "age: install age\nweb\\x1b: start its sshd\n",
  );
});

test("with --quiet only what is not well is shown", async () => {
  const { out } = await render({ quiet: true });
  expect(out.split("\n").map((line) => line.split("\t")[0])).toEqual(["warn", "fail", ""]);
});

test("with --json all of them are one document", async () => {
  const { out, err } = await render({ json: true });
  expect(JSON.parse(out)).toEqual(FINDINGS);
  expect(err).toBe("");
});
