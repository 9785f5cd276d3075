/**
 * otelcol: what came with the batch, to be read in every context: the client's address, its metadata (where the receiver keeps it), who it logged in
 * as, and the metadata of a gRPC call. No context of its own: no group can consist of these paths alone.
 */
import type { RecordContext } from '#ottl/function.ts';
import { fail, type Stored, type Value, ValueMap } from '#ottl/values.ts';
import { position } from '#src/data/contexts.ts';
import { getIndexed, mapKey, path } from './access.ts';
import type { CompiledKey, PathEntry, PathTable } from './context.ts';

type Lists = ReadonlyMap<string, readonly string[]> | undefined;

const readOnly = (name: string) => (): never => fail(`"${name}" is read-only and cannot be modified`);

/** Lists of texts by name: whole, of one name, or one of them. Names are lower case in `read()`. */
function listsEntry(name: string, read: () => Lists): PathEntry {
  const set = readOnly(name);
  return {
    plain: {
      get: () =>
        new ValueMap(
          [...(read()?.keys() ?? [])],
          [...(read()?.values() ?? [])].map((list) => [...list]),
        ),
      set,
    },
    keyed: (keys) => ({
      get: (record) => {
        const found = read()?.get(mapKey(keys[0]!, record).toLowerCase());
        if (found === undefined || found.length === 0) return null;
        if (keys.length > 2) return fail('cannot index into string slice more than once');
        return getIndexed([...found], keys, 1, record);
      },
      set,
    }),
  };
}

function authAttribute(keys: readonly CompiledKey[], record: RecordContext): Value {
  const name = mapKey(keys[0]!, record);
  const found: Stored = position.context.authAttributes?.get(name) ?? null;
  if (keys.length > 1 && !(found instanceof ValueMap || Array.isArray(found))) return fail(`attribute "${name}" value is not indexable`);
  return getIndexed(found, keys, 1, record);
}

const authSetter = readOnly('otelcol.client.auth.attributes');

export const otelcolPaths: PathTable = {
  client: {
    next: {
      addr: path(() => position.context.clientAddress ?? null, readOnly('otelcol.client.addr')),
      metadata: listsEntry('otelcol.client.metadata', () => position.context.metadata),
      auth: {
        next: {
          attributes: {
            plain: {
              get: () => new ValueMap([...(position.context.authAttributes?.keys() ?? [])], [...(position.context.authAttributes?.values() ?? [])]),
              set: authSetter,
            },
            keyed: (keys) => ({ get: (record) => authAttribute(keys, record), set: authSetter }),
          },
        },
      },
    },
  },
  grpc: { next: { metadata: listsEntry('otelcol.grpc.metadata', () => position.context.grpcMetadata) } },
};
