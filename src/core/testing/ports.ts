/** Ports for tests. */
import { createServer } from 'node:net';

// Below what systems give to outgoing connections (from 32768 on): one of those could take the port before the test does.
const FIRST = 12_000,
  LAST = 32_000;
const given = new Set<number>();

/** A port of 127.0.0.1 on which nothing listens right now; each only once in this process, and by chance, since test files run side by side. */
export async function closedPort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
