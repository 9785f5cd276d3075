/** Whether an address lies in a network. */
import { BlockList, isIP } from 'node:net';
import { defineConverter, p } from '#ottl/function.ts';
import { fail } from '#ottl/values.ts';

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(network) ?? [],
      family = isIP(address);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) fail(`invalid CIDR address: ${network}`);
    list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

export default defineConverter({
  name: 'IsInCIDR',
  summary: 'Whether an IP address lies in one of the networks; false where it is no address.',
  params: { target: p.string, networks: p.list(p.string) },
  examples: [
    { run: 'IsInCIDR("192.168.1.7", ["10.0.0.0/8", "192.168.0.0/16"])', want: true },
    { run: 'IsInCIDR("2001:db8::1", ["2001:db8::/32"])', want: true },
    { run: 'IsInCIDR("host", ["10.0.0.0/8"])', want: false },
    { run: 'IsInCIDR("10.0.0.1", ["10.0.0.0/99"])', error: 'invalid CIDR address: 10.0.0.0/99' },
  ],
  create({ target, networks }) {
    const known: string[] = [];
    for (let i = 0; i < networks.length && networks[i]!.literal; i++) known.push(networks[i]!.literal!.value);
    const first = listOf(known); // Faults of the literals before the first other argument are told at start.
    const fixed = known.length === networks.length ? first : null;
    return (record) => {
      const address = target.get(record),
        family = isIP(address);
      if (family === 0) return false;
      return (fixed ?? listOf(networks.map((network) => network.get(record)))).check(address, family === 4 ? 'ipv4' : 'ipv6');
    };
  },
});
