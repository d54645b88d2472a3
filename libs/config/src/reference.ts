import { z } from 'zod';
import { KNOWN_KEYS, variableOf } from './known-keys.js';

/** The reference page, from the schema itself: Markdown. */
export function configReference(): string {
  const rows = KNOWN_KEYS.map(
    ({ path, doc, schema }) => `| \`${path.join('.')}\` | \`${variableOf(path)}\` | ${standardOf(schema)} | ${doc} |`,
  );
  return ['| key | environment variable | default | meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function standardOf(schema: z.ZodType): string {
  const standard = (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as { default?: unknown }).default;
  return standard === undefined ? 'required' : `\`${JSON.stringify(standard)}\``;
}
