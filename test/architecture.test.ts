import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { PACKAGES, ROOMS } from "../oxlint.config.js";

const root = resolve(import.meta.dirname, "..");
const rooms: Record<string, readonly string[]> = ROOMS;

interface Import {
  from: string;
  to: string;
  isType: boolean;
}

/** Every import between files of src, `import()` and types too, which the linter's rule passes over in part. */
async function readImports(): Promise<Import[]> {
  const files = (await readdir(join(root, "src"), { recursive: true })).filter((file) =>
    file.endsWith(".ts"),
  );
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(root, "src", file), "utf8");
      const specifiers = text.matchAll(
        /(?:^|\n)(?:import|export)\s+(type\s)?[^"';]*?from\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g,
      );
      return [...specifiers].map(([, type, fixed, dynamic]) => ({
        from: file,
        to: relative(
          join(root, "src"),
          resolve(root, "src", dirname(file), fixed ?? dynamic ?? ""),
        ),
        isType: type !== undefined,
      }));
    }),
  );
  return found.flat();
}

const roomOf = (file: string): string => file.split("/")[0] ?? "";

test("the search for imports finds them", async () => {
  const imports = await readImports();

  expect(imports.length).toBeGreaterThan(100);
  expect(imports).toContainEqual({ from: "cli/main.ts", to: "cli/run-lcops.ts", isType: false });
});

test("no room imports one that it may not know, by import() neither", async () => {
  const broken = (await readImports()).filter(({ from, to, isType }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    if ([room, "system", ".."].includes(other)) return false;
    if (other === "config" && isType) return false;
    return !rooms[room]?.includes(other);
  });

  expect(broken).toEqual([]);
});

test("every room of src stands in the table", async () => {
  const folders = await readdir(join(root, "src"));

  expect(Object.keys(rooms)).toEqual(expect.arrayContaining(folders));
});

test("no files import each other in a circle", async () => {
  const edges = new Map<string, string[]>();
  for (const { from, to, isType } of await readImports()) {
    if (!isType) edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file]);
    if (way.includes(file) || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);

  expect(circles).toEqual([]);
});

const planted: string[] = [];
afterAll(async () => {
  for (const folder of planted) await rm(folder, { recursive: true, force: true });
});

/** The linter's words on files that stand in a copy of the house. */
async function lint(files: Record<string, string>, ...flags: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lcops-walls-"));
  planted.push(folder);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await writeFile(join(folder, "oxlint.config.js"), await readFile(join(root, "oxlint.config.js")));
  const oxlint = join(root, "node_modules", ".bin", "oxlint");
  const run = promisify(execFile)(oxlint, ["-c", "oxlint.config.js", ...flags, "src"], {
    cwd: folder,
  });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

const connect = "export const connect = 1;\n";

test("the linter refuses an import across a wall, and names the rooms that are open", async () => {
  const said = await lint({
    "src/tunnels/one.ts":
      'import { connect } from "../ssh/connect.ts";\nexport const one = connect;\n',
    "src/ssh/connect.ts": connect,
  });

  expect(said).toContain("src/tunnels/one.ts");
  expect(said).toMatch(/tunnels may import services, notify, reach, inventory, system .*not ssh/);
});

test("the linter lets through what the table allows", async () => {
  const said = await lint({
    "src/reach/one.ts":
      'import { connect } from "../ssh/connect.ts";\nexport const one = connect;\n',
    "src/ssh/connect.ts": connect,
  });

  expect(said).not.toContain("src/reach/one.ts");
});

test("the linter keeps the services apart", async () => {
  const said = await lint({
    "src/services/redis/redis.ts":
      'import { mysql } from "../mysql/mysql.ts";\nexport const redis = mysql;\n',
    "src/services/mysql/mysql.ts": "export const mysql = 1;\n",
  });

  expect(said).toContain("A service knows its own protocol only");
});

test("the linter keeps each package in its room", async () => {
  const cases = Object.entries(PACKAGES).map(([names, owners], index) => ({
    name: names.split(",")[0]?.replace("*", "core") ?? "",
    file: `src/${owners.includes("aws") ? "ssh" : "aws"}/case-${index}.ts`,
    message: `Only ${owners.join(" and ")} may import it`,
  }));
  expect(cases.length).toBeGreaterThan(5);
  const said = await lint(
    Object.fromEntries(
      cases.map(({ name, file }) => [
        file,
        `import * as all from "${name}";\nexport const one = all;\n`,
      ]),
    ),
    "--format=json",
  );

  const { diagnostics } = JSON.parse(said) as {
    diagnostics: { filename: string; help?: string }[];
  };
  for (const { file, message } of cases) {
    const helps = diagnostics.filter(({ filename }) => filename === file).map(({ help }) => help);
    expect(helps.join("\n")).toContain(message);
  }
});

test("the linter refuses a circle", async () => {
  const said = await lint({
    "src/ssh/one.ts": 'import { two } from "./two.ts";\nexport const one = (): number => two();\n',
    "src/ssh/two.ts": 'import { one } from "./one.ts";\nexport const two = (): number => one();\n',
  });

  expect(said).toMatch(/no-cycle/);
});

test("the linter keeps the environment out of the other rooms", async () => {
  const said = await lint({ "src/ssh/one.ts": 'export const one = process.env["HOME"];\n' });

  expect(said).toContain("no-process-env");
});
