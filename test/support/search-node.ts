/** An OpenSearch of one's own, outside a lab: to be measured, filled and killed. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createPortPicker } from "../lab/free-port.ts";
import { LAB_PREFIX, recordLab } from "../lab/leftovers.ts";
import { findOpenSearch } from "../lab/opensearch-cache.ts";
import { installOpenSearch, type InstalledNode } from "../lab/opensearch.ts";
import type { LabContext } from "../lab/process.ts";

export interface SearchNode extends InstalledNode {
  port: number;
  version: string;
  folder: string;
  /** Ends whatever was started, and removes all of it. */
  remove: () => Promise<void>;
}

/** Installs a node, not started; why there is none where OpenSearch is not fetched. */
export async function installSearchNode(options?: { heap?: string }): Promise<SearchNode | string> {
  const files = findOpenSearch(process.env);
  if (typeof files === "string") return files;
  const folder = mkdtempSync(path.join(os.tmpdir(), LAB_PREFIX));
  // It runs as another user, who must be able to pass through.
  chmodSync(folder, 0o711);
  mkdirSync(path.join(folder, "log"));
  const lab: LabContext = {
    folder,
    log: () => undefined,
    signal: undefined,
    recorder: recordLab(folder),
    pickPort: createPortPicker(),
    closers: [],
    logFiles: [],
  };
  const node = await installOpenSearch(lab, files, options);
  return {
    ...node,
    folder,
    version: files.version,
    remove: async () => {
      for (const close of lab.closers) await close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      lab.recorder.erase();
    },
  };
}
