import assert from 'node:assert/strict';
import test from 'node:test';
import { formatLabelFloat, numberEnd, parseGoFloat, parseNumber } from './number.ts';
import { END, ExpositionError, ExpositionParser, type Format, SERIES } from './parser.ts';
import { transcode } from './protobuf.ts';

test('parseNumber() reads what Go reads and stops where the number ends', () => {
  const check = (text: string, want: number | undefined) => {
    const bytes = Buffer.from(`x${text} 5\n`);
    const value = parseNumber(bytes, 1, bytes.length);
    assert.ok(Object.is(value, want), `${text} is ${value}, want ${want}`);
    if (want !== undefined) assert.equal(numberEnd(), 1 + Buffer.byteLength(text));
  };
  for (const text of [
    '0',
    '7',
    '-0',
    '+3',
    '1e3',
    '1E-3',
    '.5',
    '4.',
    '123456789012345',
    '9007199254740993',
    '0.1',
    '123456.789e-5',
    '1e22',
    '1e23',
    '2.2250738585072014e-308',
    '0.000001',
    '000012',
  ])
    check(text, Number(text));
  check('NaN', Number.NaN);
  check('nan', Number.NaN);
  check('+Inf', Number.POSITIVE_INFINITY);
  check('-infinity', Number.NEGATIVE_INFINITY);
  for (const text of ['', '-', '.', 'e5', '1e', '1e+', '0x10', '1_000', '1e999', '+NaN', '1.2.3', '1\r', 'Infinit', '--1', '5a']) check(text, undefined);
});

test('parseNumber() agrees with Number on random decimals', () => {
  const state = { seed: 42 };
  const random = (): number => {
    state.seed = (Math.imul(state.seed, 1664525) + 1013904223) >>> 0;
    return state.seed / 4294967296;
  };
  for (let i = 0; i < 50_000; i++) {
    const value = random() * 10 ** Math.floor(random() * 40 - 20);
    const text = [String(value), value.toFixed(i % 15), value.toExponential(i % 17), String(Math.floor(random() * 1e15))][i % 4]!;
    const bytes = Buffer.from(`${text}\n`);
    assert.ok(Object.is(parseNumber(bytes, 0, bytes.length), Number(text)), text);
  }
});

test('formatLabelFloat() writes as OpenMetrics wants le and quantile', () => {
  const check = (value: number, want: string) => assert.equal(formatLabelFloat(value), want);
  check(1, '1.0');
  check(0, '0.0');
  check(0.25, '0.25');
  check(1e-5, '1e-05');
  check(2.5e21, '2.5e+21');
  check(100000, '100000.0');
  check(Number.POSITIVE_INFINITY, '+Inf');
  assert.equal(parseGoFloat('0x1p-2'), undefined);
});

const NOTHING = new DataView(new ArrayBuffer(0));
/** Every series as "name{label=value,...} value @time", or the error. */
function read(text: string | Buffer, format: Format = 'text'): string[] {
  const parser = new ExpositionParser();
  const bytes = Buffer.from(text);
  parser.reset(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, format);
  const found: string[] = [];
  for (;;) {
    try {
      const entry = parser.next(NOTHING, 0, 0);
      if (entry === END) return found;
      if (entry !== SERIES) {
        found.push(`${parser.family}:${parser.text}`);
        continue;
      }
    } catch (error) {
      assert.ok(error instanceof ExpositionError, String(error));
      return [...found, 'error'];
    }
    const { name, labels } = parser.seriesLabels();
    const pairs = Array.from({ length: labels.length / 2 }, (_, i) => `${labels[2 * i]}=${labels[2 * i + 1]}`);
    const exemplar = parser.exemplar === null ? '' : ` # ${parser.exemplar.labels.join('=')} ${parser.exemplar.value} @${parser.exemplar.timeMs}`;
    found.push(`${name}{${pairs.join(',')}} ${parser.value}${Number.isNaN(parser.timeMs) ? '' : ` @${parser.timeMs}`}${exemplar}`);
  }
}

test('the text format allows blanks everywhere and refuses what is broken', () => {
  const check = (text: string, ...want: string[]) => assert.deepEqual(read(text), want, JSON.stringify(text));
  check('a 1', 'a{} 1');
  check(' \t a{ b = "c" , } \t 1 \t 5 \n\n', 'a{b=c} 1 @5');
  check('a{b="c"}1\n', 'a{b=c} 1');
  check('{"a.b","c d"="e",f="g"} 1\n', 'a.b{c d=e,f=g} 1');
  check('a{b="\\\\ \\" \\n \\x"} 1\n', 'a{b=\\ " \n \\x} 1');
  check('# HELP a  two  words \\n\n# TYPE a counter\n', 'a: two  words \n', 'a:counter');
  check('# HELPED a b\n#TYPE a nothing\n#\n# \n', ...[]);
  check('# TYPE h histogram\nh_bucket{le="1"} 2\n', 'h:histogram', 'h_bucket{le=1.0} 2');
  for (const text of [
    'a',
    'a ',
    'a b',
    'a{ 1',
    'a{b} 1',
    'a{b=c} 1',
    'a{b="c} 1',
    'a{1b="c"} 1',
    'a-b 1',
    'a 1 1.5',
    'a 1 2 3',
    'a 1\r',
    '{b="c"} 1',
    '{"a","b"} 1',
    '# TYPE a x',
    '# TYPE a',
    'a 1 -5',
    'a{b="\xff"} 1',
  ]) {
    const bytes = text.includes('\xff') ? Buffer.from(text, 'latin1') : text;
    assert.deepEqual(read(bytes), ['error'], JSON.stringify(text));
  }
});

test('OpenMetrics is strict about blanks and its end, and has exemplars', () => {
  const check = (text: string, ...want: string[]) => assert.deepEqual(read(text, 'openmetrics'), want, JSON.stringify(text));
  check('# TYPE a counter\na_total{b="c"} 1 1.5 # {id="7"} 0.5 1700000000.25\n# EOF', 'a:counter', 'a_total{b=c} 1 @1500 # id=7 0.5 @1700000000250');
  check('a 1 # {} 2\n# EOF\n', 'a{} 1 #  2 @NaN');
  check('# UNIT a_bytes bytes\n# HELP a_bytes x \\"y\\"\n# EOF\n', 'a_bytes:bytes', 'a_bytes:x "y"');
  for (const text of [
    '',
    '\n# EOF\n',
    'a  1\n# EOF\n',
    'a{b="c" } 1\n# EOF\n',
    'a{b="c"}1\n# EOF\n',
    'a 1',
    '# TYPE a untyped\n# EOF\n',
    '# a comment\n# EOF\n',
    '# UNIT a bytes\n# EOF\n',
    'a 1 NaN\n# EOF\n',
    'a 1 # {"x"} 1\n# EOF\n',
  ])
    check(text, 'error');
  check('a 1\n', 'a{} 1', 'error');
  check('a 1\n# EOF\nb 2\n', 'a{} 1', 'error');
});

test('cut or changed expositions end in an error or an answer, never in another exception', () => {
  const texts: [string, Format][] = [
    ['# TYPE a counter\na{b="c\\n",d="e"} 1.5 17000\n{"x y"} 2\n', 'text'],
    ['# HELP a b\n# TYPE a counter\na_total{b="c"} 1 1.5 # {id="7",x="y"} 0.5 1700.25\n# EOF\n', 'openmetrics'],
  ];
  for (const [text, format] of texts) {
    for (let i = 0; i <= text.length; i++) {
      read(text.slice(0, i), format);
      for (const code of ['"', '{', '\n', '\0', '\xff', '#']) read(Buffer.from(text.slice(0, i) + code + text.slice(i + 1), 'latin1'), format);
    }
  }
});

test('transcode() refuses cut protobuf and reads what is whole', () => {
  const whole = Buffer.from('KQoHY190b3RhbBIHVGhpbmdzLhgAIhMKBgoBYRIBYhoJCQAAAAAAABRAEgoBZxgBIgsSCQkAAAAAAAAEwA==', 'base64');
  const options = { native: true, classicToo: false };
  assert.deepEqual(read(transcode(whole, 0, whole.length, options).text, 'transcoded'), [
    'c_total:Things.',
    'c_total:counter',
    'c_total{a=b} 5',
    'g:',
    'g:gauge',
    'g{} -2.5',
  ]);
  for (let size = 1; size < whole.length; size++) {
    try {
      transcode(whole, 0, size, options);
    } catch (error) {
      assert.ok(error instanceof ExpositionError, String(error));
    }
  }
});
