/** What every component folder must have: a definition named as the folder, a place in the list of what is built in, a README whose options are the schema's. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { catalog } from '#src/components.ts';
import { SECTIONS } from '#src/config/load.ts';
import { KIND } from '#src/config/schema.ts';
import { inputSchema, schemaInfo, schemasAt } from '#src/config/schema_walk.ts';
import { loadDefinition } from '#src/core/catalog.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Row {
  readonly key: string;
  readonly fallback: string;
}

for (const [folder, kind] of Object.entries(SECTIONS)) {
  const types = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && existsSync(join(ROOT, folder, entry.name, 'index.ts')),
  );
  for (const { name: type } of types) {
    const name = `${folder}/${type}`;
    test(`${name} is built in under its own name and its older ones`, async () => {
      const definition = await loadDefinition(catalog, kind, type);
      assert.ok(definition, `${name} is not in src/components.ts`);
      assert.equal(definition.type, type);
      assert.equal(definition.kind, kind);
      const listed = Object.keys(catalog[kind]).filter((alias) => catalog[kind][alias] === type);
      assert.deepEqual(listed.toSorted(), [...(definition.aliases ?? [])].toSorted(), 'aliases of the definition and of src/components.ts');
    });

    test(`${name} is in the table of components in README.md`, () => {
      assert.ok(readFileSync(join(ROOT, 'README.md'), 'utf8').includes(`[${type}](${name})`), `add [${type}](${name})`);
    });

    test(`${name} has a README whose options are those of its schema`, async () => {
      const path = join(ROOT, folder, type, 'README.md');
      assert.ok(existsSync(path), `${name}/README.md is missing`);
      const readme = readFileSync(path, 'utf8'),
        schema = (await loadDefinition(catalog, kind, type))!.configSchema as z.ZodType;
      assert.match(readme, /stability|stable|beta|alpha|development/i, 'the README says how stable it is');
      assert.match(readme, /```(yaml|diff)\n/, 'the README has an example');
      const rows = optionRows(readme);
      const wanted = topLevelOptions(schema).filter(([, option]) => !isRefused(option));
      const missing = wanted.filter(([key]) => !rows.some((row) => row.key.split(/::|\./)[0] === key));
      assert.deepEqual(
        missing.map(([key, option]) => `| \`${key}\` | ${defaultText(option)} | ${option.description ?? ''} |`),
        [],
        'options that the README lacks',
      );
      const faults: string[] = [];
      for (const { key, fallback } of rows) {
        const option = optionAt(schema, key.split(/::|\./));
        if (option === undefined) faults.push(`${key}: the schema has no such option`);
        else if (fallback !== undefined && !sameDefault(fallback, option))
          faults.push(`${key}: the README says ${fallback}, the schema ${defaultText(option)}`);
      }
      assert.deepEqual(faults, []);
    });
  }
}

/** The rows of the first table that begins with a column "option"; further tables tell of what lies below one of them. */
function optionRows(readme: string): Row[] {
  const rows: Row[] = [];
  let inTable = false,
    defaultColumn = -1;
  for (const line of readme.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim())
      : [];
    if (cells.length === 0) inTable = false;
    else if (rows.length === 0 && /^options?$/i.test(cells[0]!)) {
      inTable = true;
      defaultColumn = cells.findIndex((cell) => /^default$/i.test(cell));
    } else if (inTable && !/^:?-+:?$/.test(cells[0]!)) {
      for (const match of cells[0]!.matchAll(/`([^`]+)`/g)) rows.push({ key: match[1]!, fallback: cells[defaultColumn] ?? '' });
    }
  }
  return rows;
}

function topLevelOptions(schema: z.ZodType): [string, z.ZodType][] {
  return schemasAt(schema, []).flatMap((one) => Object.entries(schemaInfo(one).shape ?? {}));
}

/** Options of the entries of a list or record are written below its key. */
function optionAt(schema: z.ZodType, path: readonly string[]): z.ZodType | undefined {
  let current = schemasAt(schema, []);
  for (const [index, key] of path.entries()) {
    const below: z.ZodType[] = [];
    for (const one of current) {
      const info = schemaInfo(one),
        entries = info.type === 'array' ? info.element! : info.type === 'record' ? info.valueType! : one;
      for (const holder of entries === one ? [one] : schemasAt(entries, [])) {
        const found = schemaInfo(holder).shape?.[key];
        if (found !== undefined) below.push(...(index === path.length - 1 ? [found] : schemasAt(found, [])));
      }
    }
    current = below;
  }
  return current[0];
}

/** An option that is there only to be refused by name. */
function isRefused(schema: z.ZodType): boolean {
  return (
    ['undefined', 'unknown', 'never'].includes(schemaInfo(inputSchema(schema)).type) &&
    [1, 'x', {}, [], true].every((value) => !schema.safeParse(value).success)
  );
}

function defaultOf(schema: z.ZodType): unknown {
  const info = schemaInfo(schema);
  if (info.type === 'default' || info.type === 'prefault') return info.defaultValue;
  if (info.type === 'pipe') return defaultOf(schemaInfo(info.in!).type === 'transform' ? info.out! : info.in!);
  return info.innerType === undefined || KIND.has(schema as never) ? undefined : defaultOf(info.innerType);
}
function defaultText(schema: z.ZodType): string {
  const value = defaultOf(schema);
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value || '""' : JSON.stringify(value)}\``;
}
/** "`200ms`" is compared; a default in words ("none", "the host's name") is only for options that have none in the schema, or whose default is empty or a map. */
function sameDefault(cell: string, schema: z.ZodType): boolean {
  const value = defaultOf(schema),
    quoted = /^`([^`]*)`$/.exec(cell)?.[1];
  if (value === undefined || value === '' || (typeof value === 'object' && value !== null)) return true;
  return quoted !== undefined && (quoted === String(value) || quoted === JSON.stringify(value));
}
