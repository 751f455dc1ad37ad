import { describe, expect, test } from "vitest";
import { readSamples, type Sample } from "../../src/workstation/read-samples.ts";

const HEAD = "timeStamp,elapsed,label,responseCode,responseMessage,success,failureMessage\n";

/** Reads a result file that comes byte by byte. */
async function read(text: string): Promise<{ samples: Sample[]; isWhole: boolean }> {
  const samples: Sample[] = [];
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at++)
      yield await Promise.resolve(bytes.subarray(at, at + 1));
  }
  const isWhole = await readSamples(chunks(), (sample) => samples.push(sample));
  return { samples, isWhole };
}

describe("a result file", () => {
  test("has labels and messages with commas, quotes and lines in them", async () => {
    const text = `${HEAD}1700000000000,12,"GET ""/ü"", all",200,OK,true,\n1700000000100,7,b,200,OK,false,"expected\nthis, got that"\n`;
    expect(await read(text)).toEqual({
      isWhole: true,
      samples: [
        {
          at: 1_700_000_000_000,
          elapsedMs: 12,
          label: 'GET "/ü", all',
          hasFailed: false,
          why: "200 OK",
        },
        {
          at: 1_700_000_000_100,
          elapsedMs: 7,
          label: "b",
          hasFailed: true,
          why: "expected\nthis, got that",
        },
      ],
    });
  });

  test.each([
    ["in a number", "1700000000100,7"],
    ["in its last field", "1700000000100,7,b,200,OK,false,ex"],
    ["within quotes", '1700000000100,7,b,200,OK,false,"expected\n'],
    ["before its success", "1700000000100,7,b,200\n"],
  ])("that is cut off %s is not whole, and has what comes before", async (_where, rest) => {
    const { samples, isWhole } = await read(`${HEAD}1700000000000,12,a,200,OK,true,\n${rest}`);
    expect(isWhole).toBe(false);
    expect(samples[0]).toMatchObject({ label: "a" });
  });

  test("that is empty has no sample, and one in XML is none", async () => {
    expect(await read("")).toEqual({ samples: [], isWhole: true });
    expect(await read(HEAD)).toEqual({ samples: [], isWhole: true });
    await expect(read('<?xml version="1.0"?>\n<testResults>\n')).rejects.toThrow("not in CSV");
  });
});
