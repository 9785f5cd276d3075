/** Ports for programs that must be told theirs. */
import net from 'node:net';

/** The system hands out ports from 32,768 on itself: below, nobody is given one of these before the program that it is for comes. */
const LOWEST = 15_000,
  HIGHEST = 32_000;

/** So many different ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = net.createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}
