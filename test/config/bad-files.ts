import { Buffer } from "node:buffer";

/** A configuration that must be refused. */
export interface BadConfiguration {
  name: string;
  content: string | Buffer;
  /** Path of the mistake in the file, as the message has it; absent where the file as a whole is wrong. */
  at?: string;
  says: string;
  /** How many mistakes it has; 1 unless told. */
  mistakes?: number;
}

const whole = JSON.stringify({ hosts: { web: { address: { eip: "192.0.2.1" } } } });

/** Files that are no JSON, or no JSON object, before anything in them is looked at. */
export const BAD_FILES: readonly BadConfiguration[] = [
  { name: "empty", content: "", says: "value expected" },
  { name: "white space only", content: " \t\n \n", says: "value expected" },
  { name: "a single brace", content: "{", says: "it is not JSON" },
  { name: "cut within a key", content: whole.slice(0, 5), says: "it is not JSON" },
  { name: "cut behind a key", content: whole.slice(0, 8), says: "it is not JSON" },
  { name: "cut within a value", content: whole.slice(0, 40), says: "it is not JSON" },
  { name: "cut before the last brace", content: whole.slice(0, -1), says: "it is not JSON" },
  { name: "two documents", content: `${whole}${whole}`, says: "end of file expected" },
  { name: "null", content: "null", says: "expected object" },
  { name: "a number", content: "42", says: "expected object" },
  { name: "a string", content: '"hosts"', says: "expected object" },
  { name: "true", content: "true", says: "expected object" },
  { name: "an array", content: "[]", says: "expected object" },
  { name: "a comment", content: `// estate\n${whole}`, says: "invalid comment token" },
  {
    name: "a comment behind a value",
    content: `${whole} /* estate */`,
    says: "invalid comment token",
  },
  { name: "a trailing comma", content: '{"hosts": {},}', says: "it is not JSON" },
  { name: "a missing comma", content: '{"hosts": {} "menu": []}', says: "comma expected" },
  { name: "single quotes", content: "{'hosts': {}}", says: "it is not JSON" },
  { name: "keys without quotes", content: "{hosts: {}}", says: "it is not JSON" },
  { name: "NaN", content: '{"hosts": NaN}', says: "invalid symbol" },
  { name: "Infinity", content: '{"hosts": -Infinity}', says: "it is not JSON" },
  { name: "a line break in a string", content: '{"ho\nsts": {}}', says: "it is not JSON" },
  { name: "a NUL byte", content: '{"hosts":\0{}}', says: "it is not JSON" },
  { name: "a NUL byte at the end", content: `${whole}\0`, says: "it is not JSON" },
  { name: "only NUL bytes", content: Buffer.alloc(64), says: "it is not JSON" },
  { name: "an escape sequence", content: "\u001b[2J\u001b]0;gone\u0007", says: "it is not JSON" },
  {
    name: "UTF-16 with its mark",
    content: Buffer.from(`\ufeff${whole}`, "utf16le"),
    says: "it is not UTF-8 text",
  },
  {
    name: "UTF-16 without its mark",
    content: Buffer.from(whole, "utf16le"),
    says: "it is not JSON",
  },
  {
    name: "Latin-1",
    content: Buffer.from('{"menu": [{"title": "Caf\u00e9", "entries": []}]}', "latin1"),
    says: "it is not UTF-8 text",
  },
  {
    name: "a UTF-8 sequence cut short",
    content: Buffer.from([0x7b, 0x22, 0xe2, 0x82, 0x22, 0x3a, 0x31, 0x7d]),
    says: "it is not UTF-8 text",
  },
  {
    name: "two byte order marks",
    content: `\ufeff\ufeff${whole}`,
    says: "it is not JSON",
  },
  {
    name: "5 MiB",
    content: `{"hosts": {}}${" ".repeat(5 * 1024 * 1024)}`,
    says: "the limit is 4 MiB",
  },
  {
    name: "100,000 brackets",
    content: `{"menu": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    says: "nested 100001 deep",
  },
  {
    name: "100,000 brackets that are never closed",
    content: "[".repeat(100_000),
    says: "nested 100000 deep",
  },
  {
    name: "100,000 objects in one another",
    content: `${'{"hosts":'.repeat(100_000)}1${"}".repeat(100_000)}`,
    says: "nested 100000 deep",
  },
  { name: "YAML", content: "hosts:\n  web:\n    port: 22\n", says: "it is not JSON" },
  {
    name: "a program",
    content: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0xff, 0xfe]),
    says: "it is not UTF-8 text",
  },
];
