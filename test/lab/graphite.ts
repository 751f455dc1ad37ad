/** Graphite: carbon-cache, which stores, and graphite-web, which renders. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { awaitAll } from "./await-all.ts";
import type { LabServices } from "./lab.ts";
import { runCommand, startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { exchange, fetchBody } from "./ready.ts";

const ADDRESS = "127.0.0.1";
/** The packages belong to Debian's own Python; another one on the PATH does not have them. */
const PYTHON = "/usr/bin/python3";

type Ports = { line: number; pickle: number; query: number; web: number };

function carbonConf(folder: string, ports: Ports): string {
  const receivers = Object.entries({
    LINE_RECEIVER: ports.line,
    PICKLE_RECEIVER: ports.pickle,
    CACHE_QUERY: ports.query,
  });
  return [
    "[cache]",
    `STORAGE_DIR = ${folder}`,
    `CONF_DIR = ${folder}`,
    `LOG_DIR = ${folder}`,
    `PID_DIR = ${folder}`,
    `LOCAL_DATA_DIR = ${folder}/whisper`,
    "MAX_CREATES_PER_MINUTE = inf",
    "MAX_UPDATES_PER_SECOND = 1000",
    "ENABLE_UDP_LISTENER = False",
    "CARBON_METRIC_INTERVAL = 0",
    ...receivers.flatMap(([name, port]) => [
      `${name}_INTERFACE = ${ADDRESS}`,
      `${name}_PORT = ${port}`,
    ]),
    "",
  ].join("\n");
}

function webSettings(folder: string, ports: Ports): string {
  return [
    "from graphite.settings import *",
    `SECRET_KEY = '${randomBytes(24).toString("hex")}'`,
    `STORAGE_DIR = '${folder}'`,
    `WHISPER_DIR = '${folder}/whisper'`,
    `STANDARD_DIRS = ['${folder}/whisper']`,
    `INDEX_FILE = '${folder}/index'`,
    `LOG_DIR = '${folder}'`,
    `CARBONLINK_HOSTS = ['${ADDRESS}:${ports.query}']`,
    `DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '${folder}/web.sqlite'}}`,
    "ALLOWED_HOSTS = ['*']",
    "TIME_ZONE = 'UTC'",
    // Debian installs them where a web server would serve them; the finder takes them from another list.
    "STATICFILES_DIRS = [STATIC_ROOT]",
    `STATIC_ROOT = '${folder}/static'`,
    "",
  ].join("\n");
}

/** Asks carbon's cache for a metric, in the pickle that graphite-web would send; any whole answer will do. */
async function probeCarbon(port: number): Promise<void> {
  const question = Buffer.from(
    "(dp0\nS'type'\np1\nS'cache-query'\np2\nsS'metric'\np3\nS'lab'\np4\ns.",
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(question.length);
  await exchange({ address: ADDRESS, port }, Buffer.concat([length, question]), (answer) => {
    return answer.length > 4 && answer.length >= 4 + answer.readUInt32BE(0);
  });
}

async function probeRender(port: number): Promise<void> {
  const target = "stats.counters.prod-api3-1.requests.count";
  const body = await fetchBody(
    `http://${ADDRESS}:${port}/render?target=${target}&from=-1h&format=json`,
  );
  const [series] = JSON.parse(body.toString()) as { datapoints: [number | null, number][] }[];
  if (!series?.datapoints.some(([value]) => value !== null))
    throw new Error("it renders no data yet");
}

/** Starts both servers over a week of metrics; returns where they are once a metric can be asked for and rendered. */
export async function startGraphite(
  lab: LabContext,
): Promise<NonNullable<LabServices["graphite"]>> {
  const folder = path.join(lab.folder, "graphite");
  const whisperFolder = path.join(folder, "whisper");
  mkdirSync(whisperFolder, { recursive: true });
  const pick = () => lab.pickPort(ADDRESS);
  const [line, pickle, query, web] = await Promise.all([pick(), pick(), pick(), pick()]);
  const ports = { line, pickle, query, web };
  writeFileSync(path.join(folder, "carbon.conf"), carbonConf(folder, ports));
  writeFileSync(
    path.join(folder, "storage-schemas.conf"),
    "[all]\npattern = .*\nretentions = 60s:8d\n",
  );
  writeFileSync(path.join(folder, "lab_settings.py"), webSettings(folder, ports), { mode: 0o600 });

  const environment = {
    PYTHONPATH: folder,
    DJANGO_SETTINGS_MODULE: "lab_settings",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const carbon = startServer(lab, {
    name: "carbon-cache",
    command: PYTHON,
    args: ["/usr/bin/carbon-cache", `--config=${folder}/carbon.conf`, "--nodaemon", "start"],
    environment,
    folder,
    probe: () => probeCarbon(query),
  });
  const seeded = runCommand(
    lab,
    PYTHON,
    [path.join(import.meta.dirname, "seed-whisper.py"), whisperFolder],
    {
      environment,
    },
  );
  const migrated = runCommand(lab, PYTHON, ["-m", "django", "migrate", "--run-syncdb", "-v", "0"], {
    environment,
    folder,
  });
  await awaitAll([carbon, seeded, migrated]);
  const server = await startServer(lab, {
    name: "graphite-web",
    command: PYTHON,
    // --insecure serves the pages' scripts too, which a web server in front would do.
    args: ["-m", "django", "runserver", "--noreload", "--insecure", `${ADDRESS}:${web}`],
    environment,
    folder,
    probe: () => probeRender(web),
  });
  return {
    address: ADDRESS,
    port: web,
    linePort: line,
    picklePort: pickle,
    whisperFolder,
    pid: server.pid,
  };
}
