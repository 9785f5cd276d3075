/** Reads a message of metrics into plain points, for tests: slow, and knowing only what scrapes write. */
export interface PlainPoint {
  readonly name: string;
  readonly key: string;
  readonly timeMs: number;
  readonly stale: boolean;
  readonly value: string;
}

export class Fields {
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  *[Symbol.iterator](): Generator<{ field: number; bytes: Buffer; number: number }> {
    let pos = 0;
    const varint = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = this.bytes[pos++]!;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (pos < this.bytes.length) {
      const tag = varint();
      const size = tag % 8 === 1 ? 8 : tag % 8 === 2 ? varint() : 0;
      const number = tag % 8 === 0 ? varint() : 0;
      yield { field: Math.floor(tag / 8), bytes: this.bytes.subarray(pos, pos + size), number };
      pos += size;
    }
  }
}

const all = (bytes: Buffer, field: number): Buffer[] => [...new Fields(bytes)].filter((entry) => entry.field === field).map((entry) => entry.bytes);
const text = (bytes: Buffer): string => bytes.toString();

export function plainPoints(message: Buffer): PlainPoint[] {
  const points: PlainPoint[] = [];
  for (const resource of all(message, 1)) for (const scope of all(resource, 2)) for (const metric of all(scope, 2)) readMetric(metric, points);
  return points;
}

function readMetric(metric: Buffer, points: PlainPoint[]): void {
  const name = text(all(metric, 1)[0]!);
  for (const { field, bytes } of new Fields(metric)) {
    if (field !== 5 && field !== 7 && field !== 9 && field !== 11) continue;
    for (const point of all(bytes, 1)) {
      const attributes = all(point, field === 9 ? 9 : 7).map((attribute) => `${text(all(attribute, 1)[0]!)}=${text(all(all(attribute, 2)[0]!, 1)[0]!)}`);
      const stale = [...new Fields(point)].some((entry) => entry.field === (field === 9 ? 10 : 8) && entry.number === 1);
      const time = all(point, 3)[0]!;
      points.push({
        name,
        key: `${name}{${attributes.join()}}`,
        timeMs: Number(time.readBigUInt64LE() / 1_000_000n),
        stale,
        value: stale ? '' : pointValue(field, point),
      });
    }
  }
}

function pointValue(field: number, point: Buffer): string {
  if (field === 5 || field === 7) return String(all(point, 4)[0]!.readDoubleLE());
  const count = all(point, 4)[0]!.readBigUInt64LE();
  const sum = all(point, 5)[0]?.readDoubleLE();
  if (field === 11) return `${count} ${sum} ${all(point, 6).map((quantile) => all(quantile, 2)[0]!.readDoubleLE())}`;
  const packed = all(point, 6)[0]!;
  const counts = Array.from({ length: packed.length / 8 }, (_, i) => packed.readBigUInt64LE(8 * i));
  const bounds = all(point, 7)[0];
  return `${count} [${counts}] ${bounds === undefined ? '' : Array.from({ length: bounds.length / 8 }, (_, i) => bounds.readDoubleLE(8 * i))}`;
}
