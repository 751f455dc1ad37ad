import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatProperties, writeFormat } from "../../src/workstation/write-properties.ts";

/** Reads a file of properties as java.util.Properties does, as far as its escapes are used here. */
function readProperties(text: string): Record<string, string> {
  const unescape = (part: string): string =>
    part.replace(/\\u([0-9a-f]{4})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
  const lines = text.split("\n").filter(Boolean);
  return Object.fromEntries(
    lines.map((line): [string, string] => {
      const [name = "", ...rest] = line.split("=");
      return [unescape(name), unescape(rest.join("="))];
    }),
  );
}

test("writes any text so that Java reads the same, in ASCII", () => {
  const text = fc.string({ unit: "binary" });
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/).filter((one) => one !== "__proto__");
  fc.assert(
    fc.property(fc.dictionary(name, text, { noNullPrototype: true }), (properties) => {
      const written = formatProperties(properties);
      expect(written).toMatch(/^[A-Za-z0-9_.\\=\n-]*$/);
      expect(readProperties(written)).toEqual(properties);
    }),
  );
});

test("escapes what is not of the basic plane in two halves", () => {
  expect(formatProperties({ key: "a b=😀" })).toBe("key=a\\u0020b\\u003d\\ud83d\\ude00\n");
});

test("asks JMeter for the fields that are read here, whatever its own settings are", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-format-"));
  try {
    const written = readProperties(readFileSync(await writeFormat(folder), "utf8"));
    const save = (field: string): string | undefined => written[`jmeter.save.saveservice.${field}`];
    expect(save("output_format")).toBe("csv");
    expect(save("print_field_names")).toBe("true");
    expect(save("timestamp_format")).toBe("ms");
    for (const field of ["time", "label", "successful", "response_code", "response_message"])
      expect(save(field)).toBe("true");
    expect(save("response_data")).toBe("false");
    expect(written["jmeterengine.force.system.exit"]).toBe("true");
    expect(written["jmeter.reportgenerator.temp_dir"]).toBe(path.join(folder, "report-temporary"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
