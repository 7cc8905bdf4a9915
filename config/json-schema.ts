import { z } from 'zod';
import { ConfigFile } from './schema.js';

/** The part of JSON Schema that our configuration makes use of. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  description?: string;
  type?: string;
  format?: string;
  pattern?: string;
  default?: unknown;
  examples?: unknown[];
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** The configuration as it is written, for editors; draft 7 is the one that YAML servers know best. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(ConfigFile, { io: 'input', target: 'draft-7', override });
  return { title: 'holdfast.yaml', ...(schema as JsonSchema) };
}

/** As it lies in the repository. */
export const renderJsonSchema = (): string => `${JSON.stringify(configJsonSchema(), null, 2)}\n`;

/** Zod drops the examples of what it transforms, and adds what only JavaScript is interested in. */
function override({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }): void {
  const schema = jsonSchema as JsonSchema;
  const examples = z.globalRegistry.get(zodSchema)?.examples;
  if (Array.isArray(examples)) schema.examples = examples;
  if (schema.format === 'starts_with') delete schema.format;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}
