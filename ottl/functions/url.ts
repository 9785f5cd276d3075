/** The parts of a URL. */
import { defineConverter, p } from '#ottl/function.ts';
import { fail, orFail, type Stored, ValueMap } from '#ottl/values.ts';
import { parseQuery, parseUrl } from '#src/helper/text/url.ts';

export default defineConverter({
  name: 'URL',
  summary:
    'A map of the parts of a URL, named as in the semantic conventions (url.domain, url.path, …). Text that begins with ? is a query: a map of lists under "query".',
  params: { uRI: p.string },
  examples: [
    {
      run: 'URL("http://ann:pw@example.com:8080/a/b.txt?x=1#end")',
      want: {
        'url.original': 'http://ann:pw@example.com:8080/a/b.txt?x=1#end',
        'url.domain': 'example.com',
        'url.scheme': 'http',
        'url.path': '/a/b.txt',
        'url.port': 8080n,
        'url.fragment': 'end',
        'url.user_info': 'ann:pw',
        'url.username': 'ann',
        'url.password': 'pw',
        'url.query': 'x=1',
        'url.extension': 'txt',
      },
    },
    { run: 'URL("?a=1&a=2")', want: { query: { a: ['1', '2'] } } },
    { run: 'URL("")', error: 'url cannot be empty' },
    { run: 'URL("http://a:b/")', error: 'invalid port ":b" after host' },
  ],
  create({ uRI: uri }) {
    return (record) => {
      const text = uri.get(record);
      if (text === '') fail('url cannot be empty');
      return text.startsWith('?') ? queryMap(text.slice(1)) : urlMap(text);
    };
  },
});

function urlMap(text: string): ValueMap {
  const url = orFail(() => parseUrl(text)),
    { port } = url,
    map = new ValueMap();
  const put = (key: string, value: Stored): void => map.append(`url.${key}`, value);
  put('original', url.text);
  put('domain', url.host);
  put('scheme', url.scheme);
  put('path', url.path);
  if (port !== '') put('port', BigInt(port) < 1n << 63n ? BigInt(port) : fail(`strconv.Atoi: parsing "${port}": value out of range`));
  if (url.fragment !== '') put('fragment', url.fragment);
  if (url.userInfo !== null) {
    put('user_info', url.userInfo);
    if (url.userName !== '') put('username', url.userName);
    if (url.password !== null) put('password', url.password);
  }
  if (url.query !== '') put('query', url.query);
  const dot = url.path.lastIndexOf('.');
  if (dot >= 0 && dot < url.path.length - 1) put('extension', url.path.slice(dot + 1));
  return map;
}

function queryMap(query: string): ValueMap {
  const parameters = new ValueMap(),
    map = new ValueMap();
  for (const [key, value] of orFail(() => parseQuery(query, true))) {
    const known = parameters.get(key);
    if (Array.isArray(known)) known.push(value);
    else parameters.append(key, [value]);
  }
  if (parameters.size > 0) map.append('query', parameters);
  return map;
}
