/**
 * The connections of a gRPC client: names resolved to addresses, one connection to each (round_robin) or to the first that works (pick_first), made again
 * with backoff, kept alive. A proxy that HTTPS_PROXY names is gone through by CONNECT, which grpc-go does without TLS, too. Not here: service configs.
 */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '#src/core/clock.ts';
import { ConfigError, errorText, RetryableError } from '#src/core/errors.ts';
import type { Log } from '#src/core/telemetry.ts';
import { type GrpcClientConfig, type GrpcTarget, parseGrpcTarget } from '#src/net/config.ts';
import { ClientConnection } from '#src/net/http2/client_connection.ts';
import { openTunnel, proxyFor } from '#src/net/proxy.ts';
import { clientTlsOptions, type TlsClientOptions } from '#src/net/tls.ts';

export interface ChannelOptions {
  readonly settings: GrpcClientConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly userAgent: string;
  /** The addresses of a name; the system's resolver where absent. */
  readonly lookUp?: (name: string) => Promise<readonly string[]>;
}

// grpc's connection backoff: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
const BACKOFF_FIRST_MS = 1000,
  BACKOFF_FACTOR = 1.6,
  BACKOFF_MAX_MS = 120_000,
  BACKOFF_JITTER = 0.2;
const CONNECT_TIMEOUT_MS = 20_000;
const UNKNOWN_NAME_MS = 5000;
/** A name is not asked for again sooner than this: grpc-go's shortest interval. */
const RESOLVE_INTERVAL_MS = 30_000;
interface Address {
  readonly host: string;
  readonly port: number;
}
/** One address, or with pick_first the list of them, and the connection to it. */
class Subchannel {
  readonly addresses: readonly Address[];
  connection: ClientConnection | null = null;
  connecting = false;
  failures = 0;
  cancelRetry: (() => void) | null = null;
  constructor(addresses: readonly Address[]) {
    this.addresses = addresses;
  }
  get key(): string {
    return this.addresses.map((address) => `${address.host} ${address.port}`).join(',');
  }
}

export class Channel {
  readonly #options: ChannelOptions;
  readonly #target: GrpcTarget;
  readonly #proxy: URL | null;
  #tls: TlsClientOptions | null;
  #tlsReadMs = 0;
  #subchannels: Subchannel[] = [];
  #next = 0;
  #resolving = false;
  #resolvedMs = Number.NEGATIVE_INFINITY;
  #cancelResolve: (() => void) | null = null;
  #closed = false;
  #lastError = 'no connection yet';
  /** Calls that wait for a connection; each is woken when something changes. */
  #waiters = new Set<() => void>();
  #stopTick = (): void => {};

  /** Throws ConfigError where the endpoint or a TLS file is not usable. */
  constructor(options: ChannelOptions) {
    const { settings } = options;
    const target = parseGrpcTarget(settings.endpoint);
    if (target === undefined) throw new ConfigError([{ path: ['endpoint'], message: `"${settings.endpoint}" is no endpoint; write host:port` }]);
    this.#options = options;
    this.#target = target;
    this.#proxy = target.kind === 'tcp' ? proxyFor('https', target.host, target.port) : null;
    this.#tls = clientTlsOptions(settings.tls) ?? (target.forceTls ? { rejectUnauthorized: true } : null);
  }
  get isSecure(): boolean {
    return this.#tls !== null;
  }
  /** host:port, as the authority of calls. */
  get targetName(): string {
    const { kind, host, port } = this.#target;
    return kind === 'unix' ? 'localhost' : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Begins to connect; does not wait for it. */
  start(): void {
    const { clock, settings } = this.#options;
    const { keepalive } = settings;
    if (keepalive) {
      const afterMs = Math.max(10_000, keepalive.time);
      this.#stopTick = clock.every(1000, () => {
        const now = performance.now();
        for (const { connection } of this.#subchannels) connection?.tick(now, afterMs, keepalive.timeout || 20_000, keepalive.permit_without_stream);
      });
    }
    void this.#resolve();
  }

  /** Lets running calls end for at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#stopTick();
    const connections = this.#subchannels.flatMap((each) => each.connection ?? []);
    for (const subchannel of this.#subchannels) subchannel.cancelRetry?.();
    this.#cancelResolve?.();
    this.#wake();
    const end = performance.now() + graceMs;
    for (const connection of connections) connection.drain();
    while (performance.now() < end && connections.some((each) => !each.isClosed)) await new Promise((done) => setTimeout(done, 10));
    for (const connection of connections) connection.end(new Error('the client was stopped'));
  }

  /** The connection whose turn it is, of those that are there. */
  pick(): ClientConnection | null {
    const all = this.#subchannels;
    for (let i = 0; i < all.length; i++) {
      this.#next = (this.#next + 1) % all.length;
      const { connection } = all[this.#next]!;
      if (connection !== null) return connection;
    }
    return null;
  }
  /** While a first attempt is under way calls wait; once it has failed they fail at once, unless `wait_for_ready`. */
  async wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<ClientConnection> {
    const until = timeoutMs > 0 ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY;
    for (;;) {
      if (this.#closed) throw new RetryableError('rpc error: code = Canceled desc = grpc: the client connection is closing');
      const connection = this.pick();
      if (connection !== null) return connection;
      const hopeful = this.#resolving || this.#subchannels.some((each) => each.connecting && each.failures === 0) || this.#options.settings.wait_for_ready;
      if (!hopeful) throw new RetryableError(`rpc error: code = Unavailable desc = ${this.#lastError}`);
      if (signal?.aborted) throw new RetryableError('rpc error: code = Canceled desc = the call was cancelled');
      const leftMs = until - performance.now();
      if (leftMs <= 0)
        throw new RetryableError(`rpc error: code = DeadlineExceeded desc = received context error while waiting for new LB policy update: ${this.#lastError}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, Math.min(leftMs, 1000));
        this.#waiters.add(() => {
          clearTimeout(timer);
          done();
        });
      });
    }
  }
  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }

  /** Brings the subchannels in line with the addresses of the name. */
  async #resolve(): Promise<void> {
    if (this.#resolving || this.#closed) return;
    this.#resolving = true;
    try {
      const addresses = await this.#lookUp();
      const roundRobin = this.#options.settings.balancer_name === 'round_robin';
      const wanted = (roundRobin ? addresses.map((address) => [address]) : [addresses]).map((each) => new Subchannel(each));
      const kept = new Map(this.#subchannels.map((each) => [each.key, each]));
      this.#subchannels = wanted.map((each) => kept.get(each.key) ?? each);
      for (const [, gone] of kept) {
        if (this.#subchannels.includes(gone)) continue;
        gone.cancelRetry?.();
        gone.connection?.drain();
      }
    } catch (error) {
      this.#lastError = `name resolver error: produced zero addresses: ${errorText(error)}`;
      if (this.#subchannels.length === 0) this.#resolveAfter(UNKNOWN_NAME_MS);
    }
    // Also where the name could not be looked up: then the old addresses are the best there is.
    for (const subchannel of this.#subchannels)
      if (subchannel.connection === null && !subchannel.connecting && subchannel.cancelRetry === null) void this.#connect(subchannel);
    this.#resolvedMs = this.#options.clock.nowMs();
    this.#resolving = false;
    this.#wake();
  }
  /** Looks the name up again, by and by: a server that went, or said that it goes, may have got company. */
  #resolveSoon(): void {
    this.#resolveAfter(Math.max(0, this.#resolvedMs + RESOLVE_INTERVAL_MS - this.#options.clock.nowMs()));
  }
  #resolveAfter(ms: number): void {
    if (this.#closed || this.#cancelResolve !== null) return;
    this.#cancelResolve = this.#options.clock.after(ms, () => {
      this.#cancelResolve = null;
      void this.#resolve();
    });
  }
  async #lookUp(): Promise<Address[]> {
    const target = this.#target;
    if (target.kind === 'unix') return [{ host: '', port: 0 }];
    // Behind a proxy it is the proxy that is looked up, and 443 where it has no port, as grpc-go has it.
    const host = this.#proxy?.hostname.replace(/^\[|\]$/g, '') ?? target.host;
    const port = this.#proxy === null ? target.port : Number(this.#proxy.port) || 443;
    const found = (await this.#options.lookUp?.(host)) ?? (await lookup(host, { all: true })).map(({ address }) => address);
    return found.map((address) => ({ host: address, port }));
  }

  async #connect(subchannel: Subchannel): Promise<void> {
    subchannel.connecting = true;
    for (const address of subchannel.addresses) {
      try {
        const connection = await this.#open(address, subchannel);
        if (this.#closed) return connection.end(new Error('the client was stopped'));
        if (!this.#subchannels.includes(subchannel)) return connection.drain(); // The name lost this address meanwhile.
        // Gone between its SETTINGS and now: nobody would tell of it again.
        if (connection.isDraining) throw new Error('the connection was closed as soon as it was made');
        subchannel.connecting = false;
        subchannel.failures = 0;
        subchannel.connection = connection;
        return this.#wake();
      } catch (error) {
        this.#lastError = `connection error: desc = "transport: Error while dialing: ${errorText(error)}"`;
      }
    }
    subchannel.connecting = false;
    subchannel.failures++;
    this.#wake();
    if (!this.#closed && this.#subchannels.includes(subchannel)) this.#retryLater(subchannel);
  }
  #retryLater(subchannel: Subchannel): void {
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * BACKOFF_FACTOR ** (subchannel.failures - 1)) * (1 + (Math.random() * 2 - 1) * BACKOFF_JITTER);
    const { clock, log, settings } = this.#options;
    if (subchannel.failures === 1) log.warn('Cannot connect; trying again.', { endpoint: settings.endpoint, error: this.#lastError });
    subchannel.cancelRetry = clock.after(backoffMs, () => {
      subchannel.cancelRetry = null;
      if (this.#closed) return;
      // The name may mean other addresses by now; what is still wanted is connected by it.
      void this.#resolve();
    });
  }

  /** A connection that has got the server's SETTINGS. */
  async #open(address: Address, subchannel: Subchannel): Promise<ClientConnection> {
    const { settings, userAgent } = this.#options;
    const tunnel = this.#proxy === null ? null : await openTunnel(this.#proxy, address, this.targetName, settings.user_agent || userAgent);
    return await new Promise((done, fail) => {
      const socket = this.#dial(address, tunnel, () => start());
      const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`)), CONNECT_TIMEOUT_MS);
      const failed = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        fail(error);
      };
      const closed = (): void => failed(new Error('the connection was closed before it was ready'));
      socket.on('error', failed);
      socket.on('close', closed);
      const start = (): void => {
        socket.off('error', failed);
        socket.off('close', closed);
        const connection = new ClientConnection(socket, {
          onReady: () => {
            clearTimeout(timer);
            done(connection);
          },
          onDraining: () => this.#detach(subchannel, connection),
          onClose: (error) => {
            clearTimeout(timer);
            fail(error);
            this.#detach(subchannel, connection);
          },
        });
        socket.resume(); // A tunnel was read by hand so far.
      };
    });
  }
  #detach(subchannel: Subchannel, connection: ClientConnection): void {
    if (subchannel.connection !== connection) return;
    subchannel.connection = null;
    if (this.#closed || !this.#subchannels.includes(subchannel)) return;
    void this.#connect(subchannel);
    this.#resolveSoon();
  }
  /** Over the tunnel where there is one. */
  #dial(address: Address, tunnel: Socket | null, connected: () => void): Socket {
    const target = this.#target;
    const where = target.kind === 'unix' ? { path: target.path } : { host: address.host, port: address.port };
    if (this.#tls === null) {
      if (tunnel === null) return connect({ ...where, noDelay: true, keepAlive: true }, connected);
      process.nextTick(connected);
      return tunnel;
    }
    this.#reloadTls();
    const socket = connectTls(
      {
        ...(tunnel === null ? where : { socket: tunnel }),
        ...this.#tls,
        servername: this.#tls.servername ?? serverName(this.#options.settings.authority, target),
        ALPNProtocols: ['h2'],
      },
      () => {
        if (socket.alpnProtocol === 'h2') connected();
        else socket.destroy(new Error('the server does not speak HTTP/2 over TLS (ALPN)'));
      },
    );
    socket.setNoDelay(true);
    return socket;
  }
  /** With `reload_interval` the files are read again when a connection is made. */
  #reloadTls(): void {
    const { tls } = this.#options.settings;
    const now = performance.now();
    if (tls.reload_interval <= 0 || now - this.#tlsReadMs < tls.reload_interval) return;
    this.#tlsReadMs = now;
    try {
      this.#tls = clientTlsOptions(tls);
    } catch (error) {
      this.#options.log.warn('The certificate could not be read again; the old one stays.', { error: errorText(error) });
    }
  }
}

/** The name whose certificate is wanted. An address has none, and is checked as it is. */
function serverName(authority: string | undefined, target: GrpcTarget): string {
  const name = authority ? authority.replace(/:\d+$/, '') : target.host;
  return /^[\d.]+$|:/.test(name) ? '' : name;
}
