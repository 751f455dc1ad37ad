import type { DriverOptions } from "../backup-driver.ts";
import { type DumpCall, findDumper } from "./dumper.ts";
import { openServer, type Server } from "./open-server.ts";
import { withOptionFile } from "./option-file.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** Given a place, connect to its server and call `use` with it and with what calls the dump program on it; both are closed behind it. */
export async function withDumper<T>(
  place: ServicePlace,
  { environment, signal }: DriverOptions,
  use: (server: Server, call: DumpCall) => Promise<T>,
): Promise<T> {
  const server = await openServer(place);
  try {
    const dumper = await findDumper(server.flavour, environment);
    return await withOptionFile(server.login, (optionFile) =>
      use(server, { dumper, login: server.login, optionFile, environment, signal }),
    );
  } finally {
    await server.close();
  }
}
