import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, createServer } from 'node:tls';
import { limitHandshakes } from './handshakes.ts';
import { CERTIFICATE, PRIVATE_KEY } from './testing/certificate.ts';

async function start(most: number, patienceMs: number, handshakeTimeout = 20_000) {
  const state = { turnedAway: 0, secure: 0 };
  const server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY, handshakeTimeout }, () => state.secure++);
  limitHandshakes(server, () => state.turnedAway++, most, patienceMs);
  server.listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const sockets: Socket[] = [];
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** A client that says nothing. */
  const silent = async (): Promise<{ closed: Promise<unknown>; isClosed(): boolean }> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
    const closed = new Promise((done) => socket.once('close', done));
    await new Promise((done) => socket.once('connect', done));
    return { closed, isClosed: () => socket.destroyed };
  };
  /** Whether an honest client gets through. */
  const honest = (): Promise<boolean> =>
    new Promise((done) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: CERTIFICATE, servername: 'localhost' }, () => done(true));
      sockets.push(socket);
      socket.on('error', () => done(false));
      socket.on('close', () => done(false));
    });
  return { state, silent, honest };
}

test('above the limit a newcomer is turned away as long as the others may still be honest; handshakes that are done do not count', async () => {
  const { state, silent, honest } = await start(2, 1e9);
  assert.equal(await honest(), true);
  assert.equal(await honest(), true);
  const first = await silent();
  await silent();
  const third = await silent();
  await third.closed;
  assert.equal(await honest(), false);
  assert.equal(state.turnedAway, 2);
  assert.equal(first.isClosed(), false);
});

test('handshakes that stand still give way, the oldest first', async () => {
  const { state, silent, honest } = await start(2, 50);
  const [first, second] = [await silent(), await silent()];
  await sleep(100);
  assert.equal(await honest(), true);
  await first.closed;
  assert.equal(second.isClosed(), false);
  assert.equal(state.turnedAway, 1);
});

test('a handshake that takes too long is closed, and its place is free', async () => {
  const { state, silent, honest } = await start(1, 1e9, 100);
  const slow = await silent();
  await slow.closed;
  assert.equal(await honest(), true);
  assert.equal(state.turnedAway, 0);
});
