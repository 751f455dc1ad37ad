/** moto's server: EC2, STS, RDS and CloudWatch that remember what they are told. */
import type { Endpoint } from "./lab.ts";
import { startServer } from "./process.ts";
import type { LabContext } from "./process.ts";
import { fetchBody } from "./ready.ts";

/** Takes moto's Python; starts its server on a free port of 127.0.0.1, and returns where and its process. */
export async function startMoto(
  lab: LabContext,
  python: string,
): Promise<Endpoint & { pid: number }> {
  const address = "127.0.0.1";
  const port = await lab.pickPort(address);
  const server = await startServer(lab, {
    name: "moto",
    command: python,
    args: ["-m", "moto.server", "-H", address, "-p", String(port)],
    environment: { MOTO_EC2_LOAD_DEFAULT_AMIS: "false", PYTHONDONTWRITEBYTECODE: "1" },
    probe: () => fetchBody(`http://${address}:${port}/moto-api/`),
  });
  return { address, port, pid: server.pid };
}
