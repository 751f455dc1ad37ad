/** The configuration with the settings of every kind of service, as tests write and change it; lcops itself opens them by `is` of a kind. */
import type * as z from "zod/mini";
import type {
  BackupJobConfig as AnyJob,
  BackupsConfig as AnyBackups,
} from "../../src/config/backup-schema.ts";
import {
  type Config as AnyConfig,
  makeConfigSchema,
  type ServiceConfig as AnyService,
} from "../../src/config/schema.ts";
import type { ElasticsearchJob } from "../../src/services/elasticsearch/settings.ts";
import type { GraphiteJob } from "../../src/services/graphite/settings.ts";
import type { MysqlJob } from "../../src/services/mysql/settings.ts";
import { KINDS } from "../../src/services/registry.ts";
import type { S3Job } from "../../src/services/s3/settings.ts";

export type ServiceConfig = AnyService & z.output<(typeof KINDS)[number]["settings"]>;
export type BackupJobConfig = AnyJob & ElasticsearchJob & GraphiteJob & MysqlJob & S3Job;

type BackupsConfig = Omit<AnyBackups, "jobs"> & { jobs: Record<string, BackupJobConfig> };
export type Config = Omit<AnyConfig, "services" | "backups"> & {
  services?: Record<string, ServiceConfig> | undefined;
  backups?: BackupsConfig | undefined;
};

const schema = makeConfigSchema(KINDS);

/** Returns a configuration whose shape is right. Throws where it is not. */
export const parseConfig = (value: unknown): Config => schema.parse(value) as Config;
