/** For vitest: runs before each file of the lab project. */
import { beginFile } from "./lab.ts";

beginFile();
