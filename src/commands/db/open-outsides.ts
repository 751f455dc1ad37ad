import type { ConsistencyConfig } from "../../config/consistency-schema.ts";
import type { CheckSubject } from "../../consistency/open-ground.ts";
import type { Config } from "../../config/schema.ts";
import { environmentOf } from "../../config/environments.ts";
import { findScope } from "../../reach/find-scope.ts";
import type { OpenServices } from "../../reach/open-service.ts";
import type { Context } from "../command.ts";

/** Given a check, return the ways to what belongs to its rows elsewhere. */
export function openOutsides(
  entry: ConsistencyConfig,
  config: Config,
  context: Context,
  open: OpenServices,
): CheckSubject["outsides"] {
  const scopeOf = (place: { environment?: string | undefined; region?: string | undefined }) =>
    findScope(
      config,
      place.environment ?? environmentOf(config.services?.[entry.service], config),
      place.region,
      context,
    );
  return {
    objects: (entry.objects ?? []).map((one) => ({
      name: `s3://${one.bucket}/${one.prefix ?? ""}`,
      with: async (use) => {
        const { openObjects } = await import("../../services/s3/read-objects.ts");
        const { pairObjects } = await import("../../consistency/outsides.ts");
        const { scope, access } = await scopeOf(one);
        const { bucket, prefix = "" } = one;
        const reader = await openObjects(scope, access, { bucket, prefix });
        const { rows, outside } = pairObjects(one, entry.objects ?? [], reader);
        await use(rows, outside).finally(reader.close);
      },
    })),
    search: (entry.search ?? []).map((one) => ({
      name: one.index,
      with: async (use) => {
        const { withCluster } = await import("../../services/elasticsearch/cluster.ts");
        const { openDocuments } = await import("../../services/elasticsearch/read-ids.ts");
        const { pairDocuments } = await import("../../consistency/outsides.ts");
        const service = config.services?.[one.service];
        if (!service) throw new Error(`there is no service ${one.service}`);
        const place = open(one.service, service);
        const { signal, terminal } = context;
        await withCluster(place, { signal, trace: terminal.trace }, async (cluster) => {
          const { rows, outside } = pairDocuments(one, openDocuments(cluster, one));
          await use(rows, outside);
        });
      },
    })),
    items: (entry.items ?? []).map((one) => ({
      name: one.dynamoTable,
      with: async (use) => {
        const { connectDynamoDb } = await import("../../services/dynamodb/connect-dynamodb.ts");
        const { openKeys } = await import("../../services/dynamodb/read-keys.ts");
        const { pairItems } = await import("../../consistency/outsides.ts");
        const { scope, access } = await scopeOf(one);
        const dynamoDb = await connectDynamoDb(scope, access);
        try {
          const keys = await openKeys(dynamoDb, one.dynamoTable, one.columns.length);
          const { rows, outside } = pairItems(one, keys);
          await use(rows, outside);
        } finally {
          dynamoDb.close();
        }
      },
    })),
  };
}
