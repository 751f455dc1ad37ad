import { Ajv } from "ajv";

/** What of a JSON Schema the walks below look at. */
export interface Schema {
  [keyword: string]: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

const ajv = new Ajv({ allErrors: true });

const unions = (schema: Schema): Schema[] => [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Given a schema and a value, return what is wrong with the value, each with its path. */
export function findMistakes(schema: Schema, value: unknown): string[] {
  const { $schema: _draft, ...plain } = schema;
  const validate = ajv.compile(plain);
  validate(value);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

/** Return the path of every property that a schema has, `hosts.*.port`; */
export function propertyPaths(
  schema: Schema,
  wanted: (part: Schema) => boolean = () => true,
  path = "",
): string[] {
  return [
    ...unions(schema).flatMap((one) => propertyPaths(one, wanted, path)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, part]) => [
      ...(wanted(part) ? [join(path, key)] : []),
      ...propertyPaths(part, wanted, join(path, key)),
    ]),
    ...(schema.items ? propertyPaths(schema.items, wanted, path) : []),
    ...(isObject(schema.additionalProperties)
      ? propertyPaths(schema.additionalProperties, wanted, join(path, "*"))
      : []),
  ];
}

/** Return the path of every property that a valid value uses, in the form of `propertyPaths`. */
export function usedPaths(schema: Schema, value: unknown, path = ""): string[] {
  const fitting = unions(schema).filter((one) => findMistakes(one, value).length === 0);
  const deeper = fitting.flatMap((one) => usedPaths(one, value, path));
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? [...deeper, ...value.flatMap((one) => usedPaths(items, one, path))] : deeper;
  }
  if (!isObject(value)) return deeper;
  return [
    ...deeper,
    ...Object.entries(value).flatMap(([key, part]) => {
      const known = schema.properties?.[key];
      if (known) return [join(path, key), ...usedPaths(known, part, join(path, key))];
      const other = schema.additionalProperties;
      return isObject(other) ? usedPaths(other as Schema, part, join(path, "*")) : [];
    }),
  ];
}
