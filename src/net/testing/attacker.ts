/**
 * The other side of attacks.test.ts, in a thread of its own, so that the CPU time of the server's thread is the server's. It opens a connection, writes
 * the attack until it is thrown out or has written all, and begins again, as often as it is told.
 */
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { GOAWAY } from '#src/net/http2/frames.ts';

export interface Attack {
  readonly port: number;
  /** Written once at the start of a connection. */
  readonly opening: Uint8Array;
  /** Written again and again, at most `rounds` times; stream ids in it are those of the first round. */
  readonly round: Uint8Array;
  /** Where in `round` frames with stream ids begin, and what to add to their ids for each round. */
  readonly idOffsets: readonly number[];
  readonly idStep: number;
  readonly rounds: number;
  readonly connections: number;
  /** How long a connection is kept that nobody ends. */
  readonly patienceMs: number;
}
export interface AttackReport {
  readonly connections: number;
  /** Connections that ended with this code of GOAWAY. */
  readonly goAways: Readonly<Record<number, number>>;
  readonly sentBytes: number;
}

const attack = workerData as Attack;
const goAways: Record<number, number> = {};
let connections = 0;
let sentBytes = 0;

/** One connection, to its end. */
function strike(): Promise<void> {
  connections++;
  return new Promise((done) => {
    const socket = connect(attack.port, '127.0.0.1');
    let got = Buffer.alloc(0);
    let round = 0;
    socket.on('error', () => {});
    socket.on('close', () => {
      sentBytes += socket.bytesWritten;
      done();
    });
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      while (got.length >= 9 && got.length >= 9 + got.readUIntBE(0, 3)) {
        if (got[3] === GOAWAY) {
          const code = got.readUInt32BE(13);
          goAways[code] = (goAways[code] ?? 0) + 1;
          socket.destroy();
          return;
        }
        got = got.subarray(9 + got.readUIntBE(0, 3));
      }
    });
    const write = (): void => {
      while (!socket.destroyed && round < attack.rounds) {
        const bytes = Buffer.from(attack.round);
        for (const at of attack.idOffsets) bytes.writeUInt32BE(bytes.readUInt32BE(at + 5) + attack.idStep * round, at + 5);
        round++;
        if (!socket.write(bytes)) return;
      }
      if (round === attack.rounds) socket.end();
    };
    socket.on('drain', write);
    socket.write(attack.opening);
    write();
    const patience = setTimeout(() => socket.destroy(), attack.patienceMs);
    socket.on('close', () => clearTimeout(patience));
  });
}

while (connections < attack.connections) await strike();
parentPort!.postMessage({ connections, goAways, sentBytes } satisfies AttackReport);
