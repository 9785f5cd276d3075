/** Keepalive of the client: who answers its PING stays, who does not is given up with all calls that are under way. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { clientFrames } from '#src/net/testing/client_frames.ts';
import { CallError, ClientConnection } from './client_connection.ts';
import { FLAG_ACK, PING, settingsFrame } from './frames.ts';

/** A connection to a server that answers PINGs as long as `answers` says, and nothing else; and how many came. */
async function connected() {
  const server = { answers: true, pings: 0 };
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(settingsFrame([]));
    socket.on(
      'data',
      clientFrames((frame) => {
        if (frame[3] !== PING || frame[4] === FLAG_ACK) return;
        server.pings++;
        const answer = Buffer.from(frame);
        answer[4] = FLAG_ACK;
        if (server.answers) socket.write(answer);
      }),
    );
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  after(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  const connection = await new Promise<ClientConnection>((done) => {
    const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1', () => {
      const made = new ClientConnection(socket, { onReady: () => done(made), onDraining() {}, onClose() {} });
    });
  });
  return { server, connection };
}
async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !done(); await new Promise((resolve) => setTimeout(resolve, 5)))
    if (performance.now() > end) assert.fail(`${what} did not happen`);
}
const call = (connection: ClientConnection): Promise<unknown> =>
  connection.call({ head: [':method', 'POST', ':path', '/a/b'], extra: [], parts: [], sizeBytes: 0, compressed: false, timeoutMs: 0, signal: undefined });
// Any silence is long enough for a PING here; the timeout is what the test says has passed.
const ANY_SILENCE_MS = -1;
const TIMEOUT_MS = 60_000;

test('a silent server gets a PING, and the next one when it has answered', async () => {
  const { server, connection } = await connected();
  await until('a third PING', () => {
    connection.tick(performance.now(), ANY_SILENCE_MS, Number.POSITIVE_INFINITY, true);
    return server.pings >= 3;
  });
  assert.equal(connection.isClosed, false);
  connection.end(new Error('done'));
});

test('a server that does not answer is given up, and its calls with it', async () => {
  const { server, connection } = await connected();
  server.answers = false;
  const failed = assert.rejects(
    call(connection),
    (error) => error instanceof CallError && error.kind === 'unavailable' && /keepalive ping failed to receive ACK within timeout/.test(error.message),
  );
  await until('a PING', () => {
    connection.tick(performance.now(), ANY_SILENCE_MS, TIMEOUT_MS, false);
    return server.pings === 1;
  });
  connection.tick(performance.now(), ANY_SILENCE_MS, TIMEOUT_MS, false);
  assert.equal(connection.isClosed, false, 'the time is not over yet');
  connection.tick(performance.now() + TIMEOUT_MS + 1, ANY_SILENCE_MS, TIMEOUT_MS, false);
  assert.equal(connection.isClosed, true);
  await failed;
});

test('without calls there is no PING, unless that is wanted', async () => {
  const { server, connection } = await connected();
  for (let i = 0; i < 5; i++) connection.tick(performance.now(), ANY_SILENCE_MS, TIMEOUT_MS, false);
  connection.tick(performance.now(), ANY_SILENCE_MS, TIMEOUT_MS, true);
  await until('a PING', () => server.pings > 0);
  assert.equal(server.pings, 1);
  connection.end(new Error('done'));
});
