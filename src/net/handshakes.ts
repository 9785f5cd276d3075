/**
 * TLS handshakes under way, of one server. Each is some 50 KB and a millisecond of work before anybody has said who they are, so there is a limit. At the
 * limit the oldest gives way if it stands still (an honest one takes a few round trips), else the newcomer is turned away.
 */
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';

export const MAX_HANDSHAKES = 512;
export const HANDSHAKE_TIMEOUT_MS = 20_000;
/** A handshake is expected to be over by then where others wait. */
const PATIENCE_MS = 2000;

/** Limits the handshakes of `server`; `turnedAway` is called for each connection that is closed for it. Before the server listens. */
export function limitHandshakes(server: TlsServer, turnedAway: () => void, most = MAX_HANDSHAKES, patienceMs = PATIENCE_MS): void {
  /** From the oldest on, with their beginnings. */
  const under = new Map<Socket, number>();
  const begin = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const now = performance.now();
    if (under.size >= most) {
      turnedAway();
      const [oldest, sinceMs] = under.entries().next().value!;
      const loser = now - sinceMs < patienceMs ? socket : oldest;
      under.delete(oldest === loser ? oldest : socket);
      loser.on('error', () => {}); // It may be gone already.
      loser.destroy();
      if (loser === socket) return;
    }
    under.set(socket, now);
    socket.once('close', () => under.delete(socket));
    for (const listener of begin) listener.call(server, socket);
  });
  // The TLS socket does not tell which of those under way is its own; the address does.
  server.prependListener('secureConnection', (secure: TLSSocket) => {
    for (const socket of under.keys()) {
      if (socket.remotePort !== secure.remotePort || socket.remoteAddress !== secure.remoteAddress) continue;
      under.delete(socket);
      return;
    }
  });
  // Of a handshake that failed, or took too long, nothing is left; node would leave the second kind open.
  server.prependListener('tlsClientError', (_error, secure) => void secure.destroy());
}
