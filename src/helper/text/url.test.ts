import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuery, parseUrl, type Url } from './url.ts';

test("an address is taken apart as Go's net/url does", () => {
  const check = (text: string, want: Partial<Url>, isRequest = false) => {
    const url = parseUrl(text, isRequest);
    assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, url[key as keyof Url]])), want, text);
  };
  check('HTTP://ann:p%40w@example.com:8080/a%20b?x=1#end', {
    scheme: 'http',
    userName: 'ann',
    password: 'p@w',
    userInfo: 'ann:p%40w',
    host: 'example.com',
    port: '8080',
    path: '/a b',
    escapedPath: '/a%20b',
    query: 'x=1',
    fragment: 'end',
    text: 'http://ann:p%40w@example.com:8080/a%20b?x=1#end',
  });
  check('http://[fe80::1%25en0]:80/', { host: 'fe80::1%en0', port: '80', text: 'http://[fe80::1%25en0]:80/' });
  check('mailto:ann@example.com', { scheme: 'mailto', host: '', path: '', text: 'mailto:ann@example.com' });
  check('//host/é', { host: 'host', path: '/é', escapedPath: '/%C3%A9' });
  check('/%e4', { path: '/\ufffd', escapedPath: '/%e4', text: '/%e4' });
  check('/|%e4', { escapedPath: '/%7C%E4' }); // An escape that is half of a letter stays one.
  check('///a', { host: '', path: '///a' });
  check('a?', { path: 'a', query: '', text: 'a?' });
  check('/a#b', { path: '/a#b', fragment: '', escapedPath: '/a%23b' }, true);
  check('//a', { host: '', path: '//a' }, true);
  check('*', { path: '*', escapedPath: '*' }, true);
});

test('what is no address is refused in the words of Go', () => {
  const check = (text: string, fault: string, isRequest = false) => assert.throws(() => parseUrl(text, isRequest), { message: `parse ${fault}` }, text);
  check(':a', '":a": missing protocol scheme');
  check('b', '"b": invalid URI for request', true);
  check('', '"": empty url', true);
  check('1a:b/c', '"1a:b/c": first path segment in URL cannot contain colon');
  check('http://a:b/', '"http://a:b/": invalid port ":b" after host');
  check('http://[::1', '"http://[::1": missing \']\' in host');
  check('http://a[::1]', '"http://a[::1]": invalid IP-literal');
  check('http://a b/', '"http://a b/": invalid character " " in host name');
  check('http://%41/', '"http://%41/": invalid URL escape "%41"');
  check('http://a|b@c/', '"http://a|b@c/": net/url: invalid userinfo');
  check('/%zz', '"/%zz": invalid URL escape "%zz"');
  check('/a\nb', '"/a\\nb": net/url: invalid control character in URL');
});

test('the pairs of a query keep their order, and faulty ones may be left out', () => {
  assert.deepEqual(parseQuery('a=1&b&a=%32+x&&=', true), [
    ['a', '1'],
    ['b', ''],
    ['a', '2 x'],
    ['', ''],
  ]);
  assert.throws(() => parseQuery('a=%zz', true), { message: 'invalid URL escape "%zz"' });
  assert.throws(() => parseQuery('a;b', true), { message: 'invalid semicolon separator in query' });
  assert.deepEqual(parseQuery('a;b&c=%z&d=1', false), [['d', '1']]);
});
