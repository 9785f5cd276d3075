/** The bytes of an IP address: 4, also of an IPv4 address written as IPv6 (::ffff:1.2.3.4), or 16; null where the text is none. */
import { isIPv4, isIPv6 } from 'node:net';

export function ipBytes(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return null;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const two = (a: string, b: string): string => (Number(a) * 256 + Number(b)).toString(16);
  const [front, back] = (dotted ? `${dotted[1]}${two(dotted[2]!, dotted[3]!)}:${two(dotted[4]!, dotted[5]!)}` : text).split('::');
  const words = (part: string | undefined): number[] => (part ? part.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const first = words(front),
    last = words(back),
    all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  const bytes = Uint8Array.from(all.flatMap((word) => [word >> 8, word & 255]));
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12) : bytes;
}
