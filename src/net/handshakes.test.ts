import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, createServer } from 'node:tls';
import { type HandshakeLimits, limitHandshakes } from './handshakes.ts';
import { CERTIFICATE, PRIVATE_KEY } from './testing/certificate.ts';

interface Silent {
  readonly closed: Promise<unknown>;
  isClosed(): boolean;
  leave(): void;
}
async function start(limits: HandshakeLimits, handshakeTimeout = 20_000) {
  const state = { turnedAway: 0, arrived: 0 };
  const server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY, handshakeTimeout });
  limitHandshakes(server, () => state.turnedAway++, limits);
  server.on('connection', () => state.arrived++);
  server.listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const sockets: Socket[] = [];
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** A client that says nothing. */
  const silent = async (): Promise<Silent> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
    const closed = new Promise((done) => socket.once('close', done));
    await new Promise((done) => socket.once('connect', done));
    return { closed, isClosed: () => socket.destroyed, leave: () => socket.destroy() };
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

test('above the limit newcomers wait for their turn, and beyond the line they are turned away', async () => {
  const { state, silent, honest } = await start({ most: 2, line: 2, patienceMs: 1e9 });
  assert.deepEqual([await honest(), await honest()], [true, true]); // Handshakes that are done do not count.
  const first = await silent();
  await silent();
  const waiting = [honest(), honest()];
  while (state.arrived < 6) await sleep(5);
  assert.equal(await honest(), false, 'no place in the line');
  assert.equal(state.turnedAway, 1);
  first.leave();
  assert.deepEqual(await Promise.all(waiting), [true, true]);
});

test('handshakes that stand still give way to who waits, the oldest first', async () => {
  const { state, silent, honest } = await start({ most: 2, line: 2, patienceMs: 100 });
  const [first, second] = [await silent(), await silent()];
  assert.equal(await honest(), true);
  await first.closed;
  assert.equal(second.isClosed(), false);
  assert.equal(state.turnedAway, 1);
});

test('a handshake that takes too long is closed, and its place is free', async () => {
  const { state, silent, honest } = await start({ most: 1, line: 0, patienceMs: 1e9 }, 300);
  const slow = await silent();
  await slow.closed;
  for (let tries = 0; !(await honest()); tries++) assert.ok(tries < 20); // On a busy machine an honest one may take too long, too.
  assert.equal(state.turnedAway, 0);
});
