/** The community id of a network flow, version 1: https://github.com/corelight/community-id-spec */
import { createHash } from 'node:crypto';
import { ipBytes } from '#ottl/formats/ip.ts';
import { defineConverter, type Getter, p, type RecordContext } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

const PROTOCOLS: Readonly<Record<string, number>> = { ICMP: 1, TCP: 6, UDP: 17, RSVP: 46, ICMP6: 58, SCTP: 132 };

export default defineConverter({
  name: 'CommunityID',
  summary: 'The community id (version 1) of a flow, the same for both directions. Protocols: ICMP, TCP (the default), UDP, RSVP, ICMP6, SCTP.',
  params: { sourceIP: p.string, sourcePort: p.int, destinationIP: p.string, destinationPort: p.int, protocol: p.optional(p.string), seed: p.optional(p.int) },
  examples: [
    { run: 'CommunityID("128.232.110.120", 34855, "66.35.250.204", 80)', want: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=' },
    { run: 'CommunityID("66.35.250.204", 80, "128.232.110.120", 34855)', want: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=' },
    { run: 'CommunityID("10.0.0.1", 1, "10.0.0.2", 2, "IPX")', error: 'unsupported protocol: IPX' },
    { run: 'CommunityID("10.0.0.1", 70000, "10.0.0.2", 2)', error: 'source port must be between 0 and 65535, got 70000' },
  ],
  create({ sourceIP, sourcePort, destinationIP, destinationPort, protocol, seed }) {
    const endpoint = (record: RecordContext, ip: Getter<string>, port: Getter<bigint>, what: string): Buffer => {
      const text = ip.get(record),
        number = port.get(record);
      if (number < 0n || number > 65535n) fail(`${what} port must be between 0 and 65535, got ${number}`);
      const tail = Buffer.alloc(2);
      tail.writeUInt16BE(Number(number));
      return Buffer.concat([ipBytes(text) ?? fail(`invalid ${what} IP: ${text}`), tail]);
    };
    return (record) => {
      const from = endpoint(record, sourceIP, sourcePort, 'source'),
        to = endpoint(record, destinationIP, destinationPort, 'destination');
      const name = protocol?.get(record) ?? 'TCP';
      const number = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name]! : fail(`unsupported protocol: ${name}`);
      const start = seed?.get(record) ?? 0n;
      if (start < 0n || start > 65535n) fail(`seed must be between 0 and 65535, got ${start}`);
      // The smaller end goes first: the shorter address, else the smaller one with its port.
      const swapped = from.length === to.length ? Buffer.compare(from, to) > 0 : from.length > to.length;
      const [a, b] = swapped ? [to, from] : [from, to];
      const head = Buffer.alloc(2);
      head.writeUInt16BE(Number(start));
      const hash = createHash('sha1')
        .update(head)
        .update(a.subarray(0, -2))
        .update(b.subarray(0, -2))
        .update(Uint8Array.of(number, 0))
        .update(a.subarray(-2))
        .update(b.subarray(-2));
      return `1:${hash.digest('base64')}`;
    };
  },
});
