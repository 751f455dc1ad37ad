/** As much of JSON Schema draft 7 as the published schema uses; a keyword beyond it throws, so that nothing is passed over. */
export interface Schema {
  [keyword: string]: unknown;
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  propertyNames?: Schema;
  additionalProperties?: Schema | boolean;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  pattern?: string;
  const?: unknown;
  minimum?: number;
  maximum?: number;
  minItems?: number;
}

const KNOWN = new Set([
  "$schema",
  "title",
  "description",
  "type",
  "properties",
  "propertyNames",
  "additionalProperties",
  "required",
  "items",
  "anyOf",
  "oneOf",
  "allOf",
  "pattern",
  "const",
  "minimum",
  "maximum",
  "minItems",
]);

const unions = (schema: Schema): Schema[] => [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
const join = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Given a schema and a value, return what is wrong with the value, each with its path. */
export function findMistakes(schema: Schema, value: unknown, path = ""): string[] {
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword));
  if (unknown.length > 0) throw new Error(`this reader does not know ${unknown.join(", ")}`);
  const here: string[] = [];
  if (schema.type !== undefined && !hasType(value, schema.type))
    return [`${path}: no ${schema.type}`];
  if (schema.const !== undefined && value !== schema.const)
    here.push(`${path}: not ${JSON.stringify(schema.const)}`);
  if (typeof value === "string" && schema.pattern !== undefined) {
    if (!new RegExp(schema.pattern, "u").test(value)) here.push(`${path}: against its pattern`);
  }
  if (typeof value === "number") {
    if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity))
      here.push(`${path}: out of range`);
  }
  const union = unions(schema);
  if (union.length > 0 && !union.some((one) => findMistakes(one, value, path).length === 0))
    here.push(`${path}: none of the alternatives`);
  for (const one of schema.allOf ?? []) here.push(...findMistakes(one, value, path));
  return [...here, ...findMistakesWithin(schema, value, path)];
}

function findMistakesWithin(schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const few = value.length < (schema.minItems ?? 0) ? [`${path}: too few`] : [];
    const { items } = schema;
    return [
      ...few,
      ...(items
        ? value.flatMap((one, index) => findMistakes(items, one, join(path, `${index}`)))
        : []),
    ];
  }
  if (!isObject(value)) return [];
  const missing = (schema.required ?? []).filter((key) => !Object.hasOwn(value, key));
  return [
    ...missing.map((key) => `${join(path, key)}: is missing`),
    ...Object.entries(value).flatMap(([key, part]) => {
      const named = schema.propertyNames
        ? findMistakes(schema.propertyNames, key, join(path, key))
        : [];
      const other = schema.additionalProperties;
      const next = schema.properties?.[key] ?? (isObject(other) ? other : undefined);
      if (next) return [...named, ...findMistakes(next, part, join(path, key))];
      return other === false ? [...named, `${join(path, key)}: is not known`] : named;
    }),
  ];
}

function hasType(value: unknown, type: string): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
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
