import { OperatorError } from "../system/errors.ts";
import type { MachineService, MachineTools } from "./machine-service.ts";

/** Given the name of the row whose server loads a module, return it. Throws `configuration` where there is no such row. */
export function lookUpServer(name: string, { find }: MachineTools): MachineService {
  const found = find(name);
  if (found?.service.restart) return found.service;
  throw new OperatorError(
    "configuration",
    found ? `${name} is no service that can be restarted` : `there is no service ${name}`,
    { next: "name the one that loads the module as its server in workstation.services" },
  );
}
