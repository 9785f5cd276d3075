/** All HTTP/2 connections of one server: taken in, looked at once a second, held back together when memory is short, drained together. */
import type { Socket } from 'node:net';
import type { Clock } from '#src/core/clock.ts';
import type { CallPlan, Service } from './server_call.ts';
import { type ConnectionLimits, ServerConnection } from './server_connection.ts';

export class ServerConnections<Plan extends CallPlan> {
  readonly #service: Service<Plan>;
  readonly #limits: ConnectionLimits;
  readonly #open = new Set<ServerConnection<Plan>>();
  readonly #clock: Clock;
  #stopTick: (() => void) | null = null;
  readonly #stopHolds: () => void;
  /** Resolves `drain` when the last connection is gone. */
  #whenEmpty: (() => void) | null = null;

  constructor(service: Service<Plan>, limits: Omit<ConnectionLimits, 'closed'>, clock: Clock) {
    this.#service = service;
    this.#limits = { ...limits, closed: (connection) => this.#closed(connection as unknown as ServerConnection<Plan>) };
    this.#clock = clock;
    this.#stopHolds = limits.admission.onHold((held) => {
      for (const connection of this.#open) connection.hold(held);
    });
  }

  add(socket: Socket): void {
    this.#stopTick ??= this.#clock.every(1000, () => {
      const now = performance.now();
      for (const connection of this.#open) connection.tick(now);
    });
    const connection = new ServerConnection<Plan>(socket, this.#service, this.#limits);
    this.#open.add(connection);
    if (this.#limits.admission.isHeld) connection.hold(true);
  }
  #closed(connection: ServerConnection<Plan>): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }

  /** Takes no new calls, waits for those under way for at most `graceMs`, and ends all. */
  async drain(graceMs: number): Promise<void> {
    for (const connection of this.#open) {
      connection.drain(graceMs);
      connection.hold(false);
    }
    if (this.#open.size > 0) {
      const timer = setTimeout(() => {
        for (const connection of this.#open) connection.end(new Error('the server was stopped'));
      }, graceMs);
      await new Promise<void>((done) => {
        this.#whenEmpty = done;
      });
      clearTimeout(timer);
    }
    this.#stopTick?.();
    this.#stopHolds();
  }
}
