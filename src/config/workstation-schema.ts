import * as z from "zod/mini";
import { matching, name, orAbsent, path } from "./schema-fields.ts";
import { workstationLaunchSchema } from "./workstation-launch-schema.ts";
import { workstationServiceSchema } from "./workstation-services-schema.ts";

const repository = z.strictObject({
  folder: path.check(z.describe("Where it is on this machine")),
  url: orAbsent(
    matching(
      /^(?![A-Za-z0-9+.-]+:\/\/[^/@]*:[^/@]*@|https?:\/\/[^/@]*@)[A-Za-z0-9/~.][^\s\p{Cc}]{0,500}$/u,
      "where git finds a repository is expected, without a password or token, e.g. git@example.com:team/app.git",
    ),
    "Where it comes from: cloned from there where the folder is missing, and its remote must be that",
  ),
});

/** What belongs to the developer's own machine. */
export const workstationSchema = z.strictObject({
  services: orAbsent(
    z.record(name, workstationServiceSchema),
    "What the panel shows, in its order; absent: the six of statusMachine.sh as Debian has them",
  ),
  launches: orAbsent(
    z.record(name, workstationLaunchSchema),
    "What the panel launches, in its order; absent: ja, jw and app of statusMachine.sh",
  ),
  repositories: orAbsent(z.record(name, repository), "Git repositories that are updated together"),
});
