import type { ServiceKind } from "../config/schema.ts";
import type { ServiceType } from "./service.ts";

const TYPES: Record<ServiceKind, () => Promise<ServiceType>> = {
  elasticsearch: async () => (await import("./elasticsearch/elasticsearch.ts")).elasticsearch,
  graphite: async () => (await import("./graphite/graphite.ts")).graphite,
  http: async () => (await import("./http/http.ts")).http,
  monit: async () => (await import("./monit/monit.ts")).monit,
  mysql: async () => (await import("./mysql/mysql.ts")).mysql,
  s3: async () => (await import("./s3/s3.ts")).s3,
  redis: async () => (await import("./redis/redis.ts")).redis,
};

/** Given a kind of the configuration, return what lcops can do with such a service; its code is loaded only now. */
export function loadServiceType(kind: ServiceKind): Promise<ServiceType> {
  return TYPES[kind]();
}
