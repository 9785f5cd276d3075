import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import test from 'node:test';
import zlib from 'node:zlib';
import { BodyLimitError, type ClientOptions, giveBack, ScrapeClient } from './http_client.ts';

const BIG = Buffer.alloc(300_000, 'abcdefghij');

function routes(request: http.IncomingMessage, response: http.ServerResponse): unknown {
  const send = (headers: http.OutgoingHttpHeaders, body: Buffer | string): void =>
    void response.writeHead(200, { 'content-type': 'text/plain', ...headers }).end(body);
  switch (request.url) {
    case '/length':
      return send({ 'content-length': BIG.length }, BIG);
    case '/chunked':
      response.writeHead(200, { 'content-type': 'text/plain' });
      for (let at = 0; at < BIG.length; at += 7919) response.write(BIG.subarray(at, at + 7919));
      response.end();
      return undefined;
    case '/gzip':
      return send({ 'content-encoding': 'gzip' }, zlib.gzipSync(BIG));
    case '/broken-gzip':
      return send({ 'content-encoding': 'gzip' }, 'no gzip');
    case '/redirect':
      response.writeHead(302, { location: '/length' }).end('elsewhere');
      return undefined;
    case '/loop':
      response.writeHead(302, { location: '/loop' }).end();
      return undefined;
    case '/headers':
      return send({}, `${request.headers['x-test']} ${request.headers.host}`);
    case '/slow':
      return undefined;
    case '/empty':
      return send({ 'content-length': 0 }, '');
    default:
      return response.writeHead(404).end('nothing');
  }
}

test('answers of all kinds arrive whole over one connection', async (context) => {
  const server = http.createServer(routes).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  let connections = 0;
  server.on('connection', () => connections++);
  const { port } = server.address() as AddressInfo;
  const clients: ScrapeClient[] = [];
  context.after(() => {
    for (const client of clients) client.close();
    server.close();
    server.closeAllConnections();
  });
  const clientFor = (path: string, more: Partial<ClientOptions> = {}): ScrapeClient => {
    const client = new ScrapeClient({
      host: '127.0.0.1',
      port,
      tls: null,
      path,
      headers: async () => 'X-Test: yes\r\n',
      hostHeader: `127.0.0.1:${port}`,
      bodyLimit: 0,
      followRedirects: true,
      ...more,
    });
    clients.push(client);
    return client;
  };
  const get = async (client: ScrapeClient, timeoutMs = 5000): Promise<Buffer> => {
    const { bytes, from, to } = await client.get(timeoutMs);
    const copy = Buffer.from(bytes.subarray(from, to));
    giveBack(bytes);
    return copy;
  };
  for (const path of ['/length', '/chunked', '/gzip']) {
    const before = connections;
    const client = clientFor(path);
    for (let round = 0; round < 4; round++) assert.ok((await get(client)).equals(BIG), path);
    assert.equal(connections - before, 1, `${path} keeps its connection`);
  }
  assert.ok((await get(clientFor('/redirect'))).equals(BIG));
  assert.equal((await get(clientFor('/headers'))).toString(), `yes 127.0.0.1:${port}`);
  assert.equal((await get(clientFor('/empty'))).length, 0);
  await assert.rejects(get(clientFor('/redirect', { followRedirects: false })), /HTTP status 302/);
  await assert.rejects(get(clientFor('/loop')), /redirects/);
  await assert.rejects(get(clientFor('/none')), /HTTP status 404 Not Found/);
  await assert.rejects(get(clientFor('/broken-gzip')), /cannot be unpacked/);
  await assert.rejects(get(clientFor('/slow'), 50), /deadline/);
  for (const path of ['/length', '/chunked', '/gzip']) await assert.rejects(get(clientFor(path, { bodyLimit: 100_000 })), BodyLimitError, path);
});

test('whatever a server writes, cut anywhere, ends in an answer or an error', async (context) => {
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde',
    'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nabcde',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc',
    'SSH-2.0-OpenSSH\r\n\r\n',
  ];
  const state = { text: '' };
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(state.text));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const answer of answers) {
    for (let size = 1; size <= answer.length; size += 3) {
      state.text = answer.slice(0, size === answer.length - 1 ? answer.length : size);
      const client = new ScrapeClient({
        host: '127.0.0.1',
        port,
        tls: null,
        path: '/',
        headers: async () => '',
        hostHeader: 'x',
        bodyLimit: 0,
        followRedirects: true,
      });
      const outcome = await client.get(2000).then(
        ({ bytes, from, to }) => bytes.latin1Slice(from, to),
        (error: Error) => error,
      );
      client.close();
      assert.ok(outcome instanceof Error || 'abcde'.startsWith(outcome), `${JSON.stringify(state.text)}: ${outcome}`);
    }
  }
});
