/** Lines of web servers: the Common Log Format, and the combined one with referer and user agent. */
import { quoteGo } from '#src/core/go_quote.ts';
import { defineConverter, p } from '#ottl/function.ts';
import { fail, parseInt64, ValueMap } from '#ottl/values.ts';

// Each character of a quoted field fits one alternative only: nothing to backtrack over.
const QUOTED = '"((?:[^"\\\\]|\\\\[^\\n])*)"';
const COMMON = `^([^\\t\\n\\f\\r ]+) ([^\\t\\n\\f\\r ]+) ([^\\t\\n\\f\\r ]+) \\[([^\\]]+)\\] ${QUOTED} ([^\\t\\n\\f\\r ]+) ([^\\t\\n\\f\\r ]+)`;
const FORMATS: Readonly<Record<string, RegExp>> = { clf: new RegExp(`${COMMON}$`), combined: new RegExp(`${COMMON} ${QUOTED} ${QUOTED}$`) };

export const parseClf = defineConverter({
  name: 'ParseCLF',
  summary: 'A map of the parts of a line in Common Log Format ("clf", the default) or in "combined" format.',
  params: { target: p.string, format: p.optional(p.stringLiteral) },
  contexts: ['log'],
  examples: [
    {
      run: 'ParseCLF("192.0.2.9 - ann [15/Jun/2024:12:00:00 +0200] \\"GET /x HTTP/1.1\\" 200 512")',
      want: {
        'clf.remote_host': '192.0.2.9',
        'clf.rfc931': '-',
        'clf.auth_user': 'ann',
        'clf.timestamp': '15/Jun/2024:12:00:00 +0200',
        'clf.request': 'GET /x HTTP/1.1',
        'clf.method': 'GET',
        'clf.request_uri': '/x',
        'clf.protocol': 'HTTP/1.1',
        'clf.status': 200n,
        'clf.bytes': 512n,
      },
    },
    { run: 'ParseCLF("hello")', error: 'invalid CLF message: does not match expected "clf" format' },
    { run: 'ParseCLF("x", "json")', error: 'invalid format "json": must be "clf" or "combined"' },
  ],
  create({ target, format = 'clf' }) {
    const shape = Object.hasOwn(FORMATS, format) ? FORMATS[format]! : fail(`invalid format ${quoteGo(format)}: must be "clf" or "combined"`);
    return (record) => {
      const line = target.get(record);
      if (line === '') fail('cannot parse empty CLF message');
      const match = shape.exec(line.trim()) ?? fail(`invalid CLF message: does not match expected ${quoteGo(format)} format`);
      return fieldsOf(match, format === 'combined');
    };
  },
});

function fieldsOf([, host, rfc931, user, time, quoted, status, bytes, referer, agent]: RegExpExecArray, combined: boolean): ValueMap {
  const request = unescapeField(quoted!);
  const map = new ValueMap(['clf.remote_host', 'clf.rfc931', 'clf.auth_user', 'clf.timestamp', 'clf.request'], [host!, rfc931!, user!, time!, request]);
  const parts = /^([^ ]*) ([^ ]*) ([\s\S]*)$/.exec(request);
  if (parts) {
    map.append('clf.method', parts[1]!);
    map.append('clf.request_uri', parts[2]!);
    map.append('clf.protocol', parts[3]!);
  }
  map.append(
    'clf.status',
    parseInt64(status!) ?? fail(`invalid status code ${quoteGo(status!)}: strconv.ParseInt: parsing ${quoteGo(status!)}: invalid syntax`),
  );
  if (bytes !== '-')
    map.append('clf.bytes', parseInt64(bytes!) ?? fail(`invalid bytes value ${quoteGo(bytes!)}: strconv.ParseInt: parsing ${quoteGo(bytes!)}: invalid syntax`));
  if (combined) {
    map.append('clf.referer', unescapeField(referer!));
    map.append('clf.user_agent', unescapeField(agent!));
  }
  return map;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v' };

/** What the servers escape in quoted fields; \xhh are bytes of UTF-8. What is no escape stays. */
function unescapeField(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/(?:\\x[0-9a-fA-F]{2})+|\\([^x])/g, (whole, c: string | undefined) =>
    c === undefined ? Buffer.from(whole.replaceAll('\\x', ''), 'hex').toString() : (ESCAPES[c] ?? whole),
  );
}
