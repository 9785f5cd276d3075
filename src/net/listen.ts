/** Binding a server of node:net to an endpoint as confignet writes it. */
import { connect } from 'node:net';
import type { ListenOptions, Server, Socket } from 'node:net';
import { unlink } from 'node:fs/promises';
import { parseHostPort } from '#src/config/schema.ts';

export interface ListenSettings {
  readonly endpoint: string;
  readonly transport: 'tcp' | 'tcp4' | 'tcp6' | 'unix';
}

/** Settles when the server listens. No host means every interface, as in Go. */
export function listenOn(server: Server, settings: ListenSettings, reusePort = false): Promise<void> {
  const options: ListenOptions = { backlog: 1024 };
  if (settings.transport === 'unix') options.path = settings.endpoint;
  else {
    const address = parseHostPort(settings.endpoint);
    if (address === undefined) return Promise.reject(new Error(`"${settings.endpoint}" has no port; write host:port, for example "localhost:4317"`));
    options.port = address.port;
    if (reusePort) options.reusePort = true;
    if (settings.transport === 'tcp6') {
      options.host = address.host || '::';
      options.ipv6Only = true;
    } else if (settings.transport === 'tcp4') options.host = address.host === 'localhost' ? '127.0.0.1' : address.host || '0.0.0.0';
    // "localhost" is taken as 127.0.0.1, which is what the Collector binds and what senders try.
    else if (address.host === 'localhost') options.host = '127.0.0.1';
    else if (address.host !== '') options.host = address.host;
  }
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(options, () => {
      server.off('error', fail);
      done();
    });
  });
}

/** Takes away the socket file of a process that has died; one that answers is left, so that listening fails as it should. */
export async function removeStaleSocket(path: string): Promise<void> {
  const alive = await new Promise<boolean>((done) => {
    const probe = connect(path, () => {
      probe.destroy();
      done(true);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED'));
  });
  if (!alive) await unlink(path);
}

/** IP address of the other side: IPv4 as such where it comes in through an IPv6 socket, empty over a unix socket. */
export function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
