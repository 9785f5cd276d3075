/**
 * TLS handshakes under way, of one server. Each is some 50 KB and a millisecond of work before anybody has said who they are, so only so many run at a
 * time; the others wait in line, which costs next to nothing, and a fleet that comes back all at once is served by and by. While somebody waits, the oldest
 * handshake gives way when it has stood still for a while (an honest one takes a few round trips).
 */
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';

export const HANDSHAKE_TIMEOUT_MS = 20_000;
const MAX_HANDSHAKES = 256;
const MAX_LINE = 4096;
/** A handshake is expected to be over by then where others wait. */
const PATIENCE_MS = 2000;

export interface HandshakeLimits {
  readonly most: number;
  readonly line: number;
  readonly patienceMs: number;
}
const LIMITS: HandshakeLimits = { most: MAX_HANDSHAKES, line: MAX_LINE, patienceMs: PATIENCE_MS };

/** Limits the handshakes of `server`; `turnedAway` is called for each connection that is closed for it. Before the server listens. */
export function limitHandshakes(server: TlsServer, turnedAway: () => void, limits = LIMITS): void {
  const gate = new Gate(server, turnedAway, limits);
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => gate.arrived(socket));
  server.prependListener('secureConnection', (secure: TLSSocket) => gate.done(secure));
  // Of a handshake that failed, or took too long, nothing is left; node would leave the second kind open.
  server.prependListener('tlsClientError', (_error, secure) => void secure.destroy());
}

class Gate {
  readonly #server: TlsServer;
  readonly #begin: readonly ((socket: Socket) => void)[];
  readonly #turnedAway: () => void;
  readonly #limits: HandshakeLimits;
  /** From the oldest on, with their beginnings. */
  readonly #under = new Map<Socket, number>();
  readonly #line = new Set<Socket>();
  #timer: NodeJS.Timeout | null = null;

  constructor(server: TlsServer, turnedAway: () => void, limits: HandshakeLimits) {
    this.#server = server;
    this.#begin = server.listeners('connection') as ((socket: Socket) => void)[];
    this.#turnedAway = turnedAway;
    this.#limits = limits;
  }

  arrived(socket: Socket): void {
    if (this.#under.size < this.#limits.most) return this.#start(socket);
    socket.on('error', () => {}); // It may be gone before its turn.
    if (this.#line.size >= this.#limits.line) {
      this.#turnedAway();
      socket.destroy();
      return;
    }
    this.#line.add(socket);
    socket.once('close', () => this.#line.delete(socket));
    this.#watch();
  }
  /** The TLS socket does not tell which of those under way is its own; the address does. */
  done(secure: TLSSocket): void {
    for (const socket of this.#under.keys()) {
      if (socket.remotePort === secure.remotePort && socket.remoteAddress === secure.remoteAddress) return this.#left(socket);
    }
  }
  #start(socket: Socket): void {
    this.#under.set(socket, performance.now());
    socket.once('close', () => this.#left(socket));
    for (const listener of this.#begin) listener.call(this.#server, socket);
  }
  #left(socket: Socket): void {
    if (!this.#under.delete(socket)) return;
    for (const next of this.#line) {
      this.#line.delete(next);
      if (next.destroyed) continue;
      this.#start(next);
      return;
    }
  }
  /** While somebody waits, looks when the oldest has taken too long. */
  #watch(): void {
    if (this.#timer !== null || this.#line.size === 0) return;
    const [oldest, sinceMs] = this.#under.entries().next().value!;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (this.#line.size > 0 && this.#under.has(oldest)) {
          this.#turnedAway();
          oldest.destroy();
          this.#left(oldest);
        }
        this.#watch();
      },
      Math.max(0, sinceMs + this.#limits.patienceMs - performance.now()),
    ).unref();
  }
}
