/** Events in the Log Event Extended Format of IBM, versions 1.0 and 2.0. */
import { quoteGo } from '#src/core/go_quote.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, ValueMap } from '#ottl/values.ts';

export const parseLeef = defineConverter({
  name: 'ParseLEEF',
  summary: 'A map of the header and the attributes of a LEEF event; text before "LEEF:" is skipped.',
  params: { target: p.string },
  contexts: ['log'],
  examples: [
    {
      run: 'ParseLEEF("LEEF:2.0|Acme|Gate|1.0|41|^|src=192.0.2.1^sev=5")',
      want: {
        'leef.version': '2.0',
        'leef.vendor': 'Acme',
        'leef.product.name': 'Gate',
        'leef.product.version': '1.0',
        'leef.event.id': '41',
        'leef.attributes': { src: '192.0.2.1', sev: '5' },
      },
    },
    { run: 'ParseLEEF("CEF:0|x")', error: "invalid LEEF message: 'LEEF:' not found" },
    { run: 'ParseLEEF("LEEF:3.0|a")', error: 'unsupported LEEF version: 3.0 (supported: 1.0, 2.0)' },
  ],
  create({ target }) {
    return (record) => {
      const text = target.get(record);
      return text === '' ? fail('cannot parse empty LEEF message') : parse(text);
    };
  },
});

/** The fields before the last one, which has the rest. */
function split(text: string, most: number): string[] {
  const parts = text.split('|');
  return parts.length <= most ? parts : [...parts.slice(0, most - 1), parts.slice(most - 1).join('|')];
}

function parse(text: string): ValueMap {
  const start = text.indexOf('LEEF:');
  if (start < 0) fail("invalid LEEF message: 'LEEF:' not found");
  const pipe = text.indexOf('|', start);
  if (pipe < 0) fail('invalid LEEF message: missing pipe delimiter in header');
  const version = text.slice(start + 5, pipe),
    rest = text.slice(pipe + 1);
  if (version !== '1.0' && version !== '2.0') fail(`unsupported LEEF version: ${version} (supported: 1.0, 2.0)`);
  const fields = split(rest, 5);
  if (fields.length < 4) fail(`invalid LEEF ${version} header: expected at least 4 fields (vendor, product, version, eventID), got ${fields.length}`);
  const [vendor, product, productVersion, id] = fields as [string, string, string, string];
  let attributes = fields[4] ?? '',
    delimiter = '\t';
  // Version 2 may name a delimiter; what has a = in its place is an attribute already.
  const [, , , , named = '', afterName = ''] = split(rest, 6);
  if (version === '2.0' && !named.includes('=')) {
    delimiter = delimiterOf(named);
    attributes = afterName;
  }
  return new ValueMap(
    ['leef.version', 'leef.vendor', 'leef.product.name', 'leef.product.version', 'leef.event.id', 'leef.attributes'],
    [version, vendor, product, productVersion, id, attributesOf(attributes, delimiter)],
  );
}

function delimiterOf(named: string): string {
  if (named === '') return '\t';
  if (/^0x/i.test(named)) {
    const digits = named.slice(2);
    if (digits === '') fail('invalid LEEF 2.0 delimiter: empty hex value');
    if (!/^(?:[0-9a-fA-F]{2})+$/.test(digits)) fail(`invalid LEEF 2.0 delimiter: invalid hex delimiter ${quoteGo(named)}`);
    if (digits.length !== 2) fail(`invalid LEEF 2.0 delimiter: hex delimiter must decode to a single byte, got ${digits.length / 2} bytes`);
    return String.fromCharCode(Number.parseInt(digits, 16));
  }
  if (Buffer.byteLength(named) !== 1) fail(`invalid LEEF 2.0 delimiter: delimiter must be a single character or 0x-prefixed hex value, got ${quoteGo(named)}`);
  return named;
}

/** Pairs without a = or without a key are left out; of equal keys the last counts. */
function attributesOf(text: string, delimiter: string): ValueMap {
  const last = new Map<string, string>();
  for (const pair of text.split(delimiter)) {
    const equals = pair.indexOf('=');
    if (equals > 0) last.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return new ValueMap([...last.keys()], [...last.values()]);
}
