import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";

/** What the result file must have for lcops and for JMeter's own report, whatever the user's jmeter.properties say. */
const RESULT_FORMAT = {
  "jmeter.save.saveservice.output_format": "csv",
  "jmeter.save.saveservice.print_field_names": "true",
  "jmeter.save.saveservice.default_delimiter": ",",
  "jmeter.save.saveservice.timestamp_format": "ms",
  // Else the progress would be that of the last full buffer, and a killed run would lose it.
  "jmeter.save.saveservice.autoflush": "true",
  ...Object.fromEntries(
    [
      "time",
      "label",
      "response_code",
      "response_message",
      "thread_name",
      "data_type",
      "successful",
      "assertion_results_failure_message",
      "bytes",
      "sent_bytes",
      "thread_counts",
      "url",
      "latency",
      "idle_time",
      "connect_time",
    ].map((field) => [`jmeter.save.saveservice.${field}`, "true"]),
  ),
  ...Object.fromEntries(
    ["response_data", "samplerData", "responseHeaders", "requestHeaders", "sample_count"].map(
      (field) => [`jmeter.save.saveservice.${field}`, "false"],
    ),
  ),
};

/** Without its window nobody talks to its port, and a thread that stays keeps it from ending. */
const WITHOUT_WINDOW = {
  "jmeterengine.nongui.port": "0",
  "jmeterengine.force.system.exit": "true",
};

/** Given a folder, write into it how JMeter is to write its results, and return the file, which is for its -q. */
export async function writeFormat(folder: string): Promise<string> {
  const file = join(folder, "format.properties");
  const temporary = { "jmeter.reportgenerator.temp_dir": join(folder, "report-temporary") };
  await writeFileAtomically(
    file,
    formatProperties({ ...RESULT_FORMAT, ...WITHOUT_WINDOW, ...temporary }),
  );
  return file;
}

/** Given properties, return them as Java reads them from a file in ISO 8859-1 (java.util.Properties, load). Pure. */
export function formatProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${escape(name)}=${escape(value)}\n`)
    .join("");
}

function escape(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/gu, (character) =>
    // In units of UTF-16, as Java writes them.
    Array.from({ length: character.length }, (_, index) => {
      const code = character.charCodeAt(index).toString(16).padStart(4, "0");
      return `\\u${code}`;
    }).join(""),
  );
}
