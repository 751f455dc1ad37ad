/** A service and the ways to it. Types only. */
import type { AwsScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import type { ServiceConfig } from "../config/schema.ts";
import type { Connection } from "./connect-host.ts";

/** Where a service is reached from this machine. */
export interface Endpoint {
  host: string;
  port: number;
}

/** Paths of PEM files from the root, and the name that the server's certificate must have. */
export interface ServiceTls {
  serverName: string;
  ca?: string;
  certificate?: string;
  key?: string;
}

/** Where AWS is asked, and how. */
export interface AwsPlace {
  scope: AwsScope;
  access: AwsAccess;
}

/** A service and the ways to it. A way is opened when it is first asked for, and once; the maker of the place closes it. */
export interface ServicePlace<C extends ServiceConfig = ServiceConfig> {
  /** Name of the service. */
  name: string;
  config: C;
  /** That of its host where it has one. */
  environment: string | undefined;
  /** Whether it is guarded as production. */
  isProduction: boolean;
  /** The part after the slash of `--into SERVICE/WITHIN`: a database, a folder. */
  within?: string;
  /** Where it is reached from this machine, through a forward where it needs one. */
  endpoint(): Promise<Endpoint>;
  /** The ssh connection to its host; undefined: it has none, and is reached directly. */
  host(): Promise<Connection | undefined>;
  /** Undefined where the configuration has none. Throws `access`. */
  password(): Promise<string | undefined>;
  /** Undefined where it is spoken to without TLS. */
  tls(): ServiceTls | undefined;
  /** AWS of its environment, or of that one, in this region or the environment's first. Throws `configuration` where there is neither. */
  aws(region?: string, environment?: string): Promise<AwsPlace>;
}
