/** The functions page: Markdown from the definitions, examples included. README.md beside this file is kept current by page.test.ts. */
import { Duration, Time, toJson } from '#ottl/values.ts';
import type { Example, ExampleRecord, ExampleValue, FunctionDefinition, Param } from '#ottl/function.ts';

/** What a parameter takes, in words. */
const KIND_NAMES: Readonly<Record<Param['kind'], string>> = {
  getter: 'any value',
  path: 'path',
  string: 'string',
  stringLike: 'any value, as text',
  int: 'int',
  intLike: 'any value, as int',
  float: 'float',
  floatLike: 'any value, as float',
  bool: 'bool',
  boolLike: 'any value, as bool',
  bytesLike: 'any value, as bytes',
  map: 'map',
  mapPath: 'path of a map',
  slice: 'list',
  slicePath: 'path of a list',
  time: 'time',
  duration: 'duration',
  stringLiteral: 'literal string',
  intLiteral: 'literal int',
  floatLiteral: 'literal float',
  boolLiteral: 'literal bool',
  bytesLiteral: 'literal bytes',
  enumLiteral: 'enum',
  function: 'name of a function',
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The function as it is called: `Split(target, delimiter)`. */
export function signature({ name, params }: Pick<FunctionDefinition, 'name' | 'params'>): string {
  const shown = Object.entries(params).map(([key, { list, optional }]) => `${snake(key)}${list ? '[]' : ''}${optional ? '?' : ''}`);
  return `${name}(${shown.join(', ')})`;
}

function valueText(value: ExampleValue | undefined): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isInteger(value) ? value.toFixed(1) : String(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (value instanceof Time || value instanceof Duration) return toJson(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${valueText(item as ExampleValue)}`)
    .join(', ')}}`;
}
const recordText = ({ attributes, body }: ExampleRecord): string =>
  [attributes === undefined ? '' : `attributes ${valueText(attributes)}`, body === undefined ? '' : `body ${valueText(body)}`]
    .filter((part) => part !== '')
    .join(', ');

function exampleLines(kind: FunctionDefinition['kind'], { run, given, want, error, note }: Example): string[] {
  const lines = given === undefined ? [] : [`given   ${recordText(given)}`];
  lines.push(run);
  if (error !== undefined) lines.push(`fails   ${error}`);
  else if (kind === 'converter') lines.push(`gives   ${valueText(want as ExampleValue)}`);
  else if (want !== undefined) lines.push(`leaves  ${recordText(want as ExampleRecord)}`);
  if (note !== undefined) lines.push(`        ${note}`);
  return lines;
}

function section(definition: FunctionDefinition): string {
  const { kind, summary, params, contexts, examples } = definition;
  const kinds = Object.entries(params).map(([key, { kind: of, list }]) => `\`${snake(key)}\` ${list ? 'list of ' : ''}${KIND_NAMES[of]}`);
  const facts = [...(contexts ? [`Only in: ${contexts.join(', ')}.`] : []), ...(kinds.length > 0 ? [`Takes ${kinds.join(', ')}.`] : [])];
  const shown = examples.map((example) =>
    exampleLines(kind, example)
      .map((line) => `    ${line}`)
      .join('\n'),
  );
  return [`### ${signature(definition)}`, [summary, ...facts].join(' '), ...(shown.length > 0 ? [shown.join('\n\n')] : [])].join('\n\n');
}

const byName = (a: FunctionDefinition, b: FunctionDefinition): number => (a.name < b.name ? -1 : 1);

/** `intro` is the text below the heading. */
export function functionsPage(title: string, intro: string, functions: readonly FunctionDefinition[]): string {
  const sorted = [...functions].sort(byName),
    of = (kind: FunctionDefinition['kind']): FunctionDefinition[] => sorted.filter((one) => one.kind === kind);
  const group = (heading: string, members: readonly FunctionDefinition[]): string[] => (members.length > 0 ? [`## ${heading}`, ...members.map(section)] : []);
  return `${[`# ${title}`, intro, ...group('Editors', of('editor')), ...group('Converters', of('converter'))].join('\n\n')}\n`;
}
