/** The environment's proxies, by the cases of Go's own documentation, and calls by way of one. */
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, test } from 'node:test';
import { z } from 'zod';
import { systemClock } from '#src/core/clock.ts';
import { RetryableError } from '#src/core/errors.ts';
import { grpcClientShape, grpcServerShape, httpClientShape } from './config.ts';
import { GrpcClient } from './grpc/client.ts';
import { GrpcServer } from './grpc/server.ts';
import { HttpClient } from './http_client.ts';
import { proxyFor } from './proxy.ts';
import { CERTIFICATE, PRIVATE_KEY } from './testing/certificate.ts';

const PATH = '/test.Service/Export';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  after(() => server.close());
  return (server.address() as AddressInfo).port;
};

test('NO_PROXY takes names, domains, addresses, networks and ports as Go does; this machine has no proxy', () => {
  const check = (list: string, host: string, port: number, proxied: boolean): void =>
    assert.equal(proxyFor('https', host, port, { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: list }) !== null, proxied, `${list}: ${host}:${port}`);
  check('', 'example.com', 443, true);
  check('', 'localhost', 443, false);
  check('', '127.0.0.53', 443, false);
  check('', '::1', 443, false);
  check('*', 'example.com', 443, false);
  check('example.com', 'example.com', 443, false);
  check('example.com', 'sub.example.com', 443, false);
  check('example.com', 'notexample.com', 443, true);
  check('.example.com', 'example.com', 443, true);
  check('.example.com, other', 'sub.EXAMPLE.com', 443, false);
  check('*.example.com', 'sub.example.com', 443, false);
  check('example.com:4317', 'example.com', 4317, false);
  check('example.com:4317', 'example.com', 4318, true);
  check('10.1.2.3', '10.1.2.3', 443, false);
  check('10.1.2.3:4317', '10.1.2.3', 443, true);
  check('10.0.0.0/8', '10.200.0.1', 443, false);
  check('10.0.0.0/8', '11.0.0.1', 443, true);
  check('10.0.0.0/8', 'ten.example.com', 443, true);
  check('[2001:db8::1]:4317', '2001:db8::1', 4317, false);
  check('2001:db8::/32', '2001:db8::7', 443, false);
});

test('each scheme has its variable, capitals go before small letters, and a proxy may be host and port only', () => {
  const check = (scheme: 'http' | 'https', env: Record<string, string>, wanted: string | undefined): void =>
    assert.equal(proxyFor(scheme, 'example.com', 80, env)?.href, wanted, JSON.stringify(env));
  check('http', { HTTP_PROXY: 'http://a:1', http_proxy: 'http://b:1' }, 'http://a:1/');
  check('http', { HTTP_PROXY: '', http_proxy: 'b:1' }, 'http://b:1/');
  check('http', { HTTPS_PROXY: 'http://a:1' }, undefined);
  check('https', { HTTP_PROXY: 'http://a:1' }, undefined);
  check('https', { https_proxy: 'proxy.example.com:3128' }, 'http://proxy.example.com:3128/');
  check('https', { HTTPS_PROXY: 'http://user:p%40ss@a:1' }, 'http://user:p%40ss@a:1/');
  assert.throws(() => proxyFor('https', 'example.com', 80, { HTTPS_PROXY: '[' }), /invalid proxy address/);
});

/** A proxy that answers CONNECT, in one read with the first words of the server where that speaks first; and what was asked of it. */
async function connectProxy(toPort: number, serverSpeaksFirst: boolean, refusal = '') {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const port = await listening(
    createServer((client) => {
      sockets.add(client);
      client.on('error', () => {});
      client.once('data', (head) => {
        asked.push(head.toString());
        if (refusal !== '') return void client.end(refusal);
        const upstream = connect(toPort, '127.0.0.1');
        sockets.add(upstream);
        upstream.on('error', () => {});
        client.pipe(upstream);
        const established = Buffer.from('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n');
        if (!serverSpeaksFirst) client.write(established);
        upstream.once('data', (first) => {
          client.write(serverSpeaksFirst ? Buffer.concat([established, first]) : first);
          upstream.pipe(client);
        });
      });
    }),
  );
  after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, asked };
}
const serve = async (settings: object): Promise<GrpcServer> => {
  const server = new GrpcServer({
    settings: z.strictObject(grpcServerShape('127.0.0.1:0')).parse(settings),
    methods: new Map([[PATH, async () => {}]]),
    log,
    clock: systemClock,
  });
  await server.listen();
  after(() => server.close(0));
  return server;
};
const plain = await serve({});
const secure = await serve({ tls: { cert_pem: CERTIFICATE, key_pem: PRIVATE_KEY } });

async function withEnvironment<Result>(env: Record<string, string>, work: () => Promise<Result>): Promise<Result> {
  Object.assign(process.env, env);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
  }
}
function call(proxy: string, tls: object): Promise<void> {
  return withEnvironment({ HTTPS_PROXY: proxy }, async () => {
    const settings = z.strictObject(grpcClientShape()).parse({ endpoint: 'collector.test:4317', tls });
    const client = new GrpcClient({ settings, log, clock: systemClock, userAgent: 'test/1' });
    client.start();
    try {
      await client.call(PATH, [Buffer.from('hello')], 5, { timeoutMs: 20_000 });
    } finally {
      await client.close();
    }
  });
}

test('gRPC goes through the proxy of HTTPS_PROXY, plain and with TLS, which the proxy does not see', async () => {
  const toPlain = await connectProxy(plain.port, false);
  await call(`http://user:p%40ss@127.0.0.1:${toPlain.port}`, { insecure: true });
  assert.deepEqual(toPlain.asked[0]!.split('\r\n').slice(0, 4), [
    'CONNECT collector.test:4317 HTTP/1.1',
    'Host: collector.test:4317',
    'User-Agent: test/1',
    `Proxy-Authorization: Basic ${Buffer.from('user:p@ss').toString('base64')}`,
  ]);
  const toSecure = await connectProxy(secure.port, false);
  await call(`127.0.0.1:${toSecure.port}`, { ca_pem: CERTIFICATE });
  assert.equal(toSecure.asked.length, 1);
});

test('what the server says in one read with the answer of the proxy is not lost', async () => {
  // A server that writes its SETTINGS before it has read anything.
  const eager = await listening(
    createServer((socket) => {
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      const upstream = connect(plain.port, '127.0.0.1');
      for (const each of [socket, upstream]) each.on('error', () => {});
      socket.pipe(upstream);
      upstream.once('data', (first) => {
        // Its own SETTINGS come second now, which is allowed.
        socket.write(first);
        upstream.pipe(socket);
      });
      after(() => upstream.destroy());
    }),
  );
  const proxy = await connectProxy(eager, true);
  await call(`http://127.0.0.1:${proxy.port}`, { insecure: true });
});

test('a proxy that refuses is an error that may pass, and says what it said', async () => {
  const proxy = await connectProxy(plain.port, false, 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  await assert.rejects(
    call(`http://127.0.0.1:${proxy.port}`, { insecure: true }),
    (error) => error instanceof RetryableError && /failed to do connect handshake, response: "HTTP\/1.1 407/.test(error.message),
  );
});

test('an http:// URL is asked of the proxy itself, an https:// one through a tunnel, by its own variable or proxy_url', async () => {
  const seen: string[] = [];
  const port = await listening(
    createHttpServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end();
    }).on('connect', (request, socket: Socket) => {
      seen.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 503 Not now\r\n\r\n');
    }),
  );
  const send = async (url: string, settings: object = {}): Promise<number> => {
    const client = new HttpClient({ settings: z.strictObject(httpClientShape()).parse({ endpoint: url, timeout: '20s', ...settings }), userAgent: 'test/1' });
    try {
      return (await client.send({ method: 'POST', url, parts: [Buffer.from('x')] })).status;
    } finally {
      await client.close();
    }
  };
  const proxy = `http://127.0.0.1:${port}`;
  await withEnvironment({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy }, async () => {
    assert.equal(await send('http://collector.test/v1/traces'), 200);
    await assert.rejects(send('https://collector.test/v1/traces'), RetryableError);
  });
  assert.equal(await send('http://collector.test:4318/v1/logs', { proxy_url: proxy }), 200);
  assert.deepEqual(seen, ['POST http://collector.test/v1/traces', 'CONNECT collector.test:443', 'POST http://collector.test:4318/v1/logs']);
  await assert.rejects(send('http://collector.test', { proxy_url: 'no url' }), /"no url" is no URL/);
});
