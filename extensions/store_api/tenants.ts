/**
 * Which tenant a request is about: X-Scope-OrgID, or the default one. A query may name several ("a|b"): their series come together, with the
 * tenant as label __tenant_id__, as in Cortex's tenant federation.
 */
import type { HttpRequest } from '#src/net/http_server.ts';
import { compileMatcher } from '#src/core/matcher.ts';
import { compareLabels, withLabel } from '#src/promql/labels.ts';
import type { LabelList, Matcher, Querier, SampleColumns, SeriesSet } from '#src/core/series.ts';
import { checkTenantId, DEFAULT_TENANT, type StoreExtension } from '#src/store/store.ts';
import type { Tenant } from '#src/store/tenant.ts';
import { ApiError } from './params.ts';

const TENANT_LABEL = '__tenant_id__';
const ORIGINAL_LABEL = 'original___tenant_id__';
/** A query of more tenants is refused. */
const MOST_TENANTS = 100;

function headerOf(request: HttpRequest): string {
  const header = request.headers['x-scope-orgid'];
  return (Array.isArray(header) ? header[0] : header) ?? '';
}

/** Of a write: exactly one, made where there is none. */
export function writeTenant(request: HttpRequest, store: StoreExtension): Tenant {
  const header = headerOf(request);
  if (header.includes('|')) throw new ApiError('bad_data', 'multiple tenant IDs present');
  try {
    return store.tenant(header === '' ? DEFAULT_TENANT : header);
  } catch (error) {
    throw new ApiError('bad_data', (error as Error).message);
  }
}

/** Of a read: sorted, without repetition. */
export function readTenants(request: HttpRequest): string[] {
  const header = headerOf(request);
  if (header === '') return [DEFAULT_TENANT];
  const ids = [...new Set(header.split('|'))].sort();
  if (ids.length > MOST_TENANTS) throw new ApiError('bad_data', `too many tenants: ${ids.length}, limit ${MOST_TENANTS}`);
  for (const id of ids) {
    try {
      checkTenantId(id);
    } catch (error) {
      throw new ApiError('bad_data', (error as Error).message);
    }
  }
  return ids;
}

/** A querier over these tenants; tenants that do not exist have no series. */
export function openQuerier(store: StoreExtension, ids: readonly string[], minMs: number, maxMs: number): Querier {
  if (ids.length === 1) return store.existingTenant(ids[0]!)?.querier(minMs, maxMs) ?? EMPTY;
  return new FederatedQuerier(
    ids,
    ids.map((id) => store.existingTenant(id)?.querier(minMs, maxMs) ?? EMPTY),
  );
}

const EMPTY: Querier = {
  select: async () => ({ length: 0, labels: () => [], id: () => 0, read: () => {} }),
  labelNames: async () => [],
  labelValues: async () => [],
  close: () => {},
};

class FederatedQuerier implements Querier {
  readonly #ids: readonly string[];
  readonly #queriers: readonly Querier[];
  constructor(ids: readonly string[], queriers: readonly Querier[]) {
    this.#ids = ids;
    this.#queriers = queriers;
  }

  /** Tenants that the matchers of __tenant_id__ leave, and the other matchers as the tenants know them. */
  #split(matchers: readonly Matcher[]): { chosen: number[]; rest: Matcher[] } {
    const tests = matchers.filter(({ name }) => name === TENANT_LABEL).map(compileMatcher);
    const rest = matchers
      .filter(({ name }) => name !== TENANT_LABEL)
      .map((matcher) => (matcher.name === ORIGINAL_LABEL ? { ...matcher, name: TENANT_LABEL } : matcher));
    const chosen = this.#ids.map((_, i) => i).filter((i) => tests.every(({ matches }) => matches(this.#ids[i]!)));
    return { chosen, rest };
  }

  async select(matchers: readonly Matcher[], minTimeMs: number, maxTimeMs: number): Promise<SeriesSet> {
    const { chosen, rest } = this.#split(matchers);
    const sets = await Promise.all(chosen.map((i) => this.#queriers[i]!.select(rest, minTimeMs, maxTimeMs)));
    const entries: { set: SeriesSet; index: number; labels: LabelList; id: number }[] = [];
    sets.forEach((set, n) => {
      for (let index = 0; index < set.length; index++) {
        const own = set.labels(index);
        const at = own.indexOf(TENANT_LABEL);
        const kept = at >= 0 && at % 2 === 0 ? withLabel(own, ORIGINAL_LABEL, own[at + 1]!) : own;
        entries.push({ set, index, labels: withLabel(kept, TENANT_LABEL, this.#ids[chosen[n]!]!), id: set.id(index) * MOST_TENANTS + chosen[n]! });
      }
    });
    entries.sort((a, b) => compareLabels(a.labels, b.labels));
    return {
      length: entries.length,
      labels: (index) => entries[index]!.labels,
      id: (index) => entries[index]!.id,
      read: (index, from, to, into: SampleColumns) => entries[index]!.set.read(entries[index]!.index, from, to, into),
    };
  }

  async labelNames(matchers: readonly (readonly Matcher[])[], minTimeMs: number, maxTimeMs: number): Promise<string[]> {
    const names = new Set<string>();
    for (const set of matchers.length === 0 ? [[]] : matchers) {
      const { chosen, rest } = this.#split(set);
      for (const i of chosen) for (const name of await this.#queriers[i]!.labelNames(rest.length === 0 ? [] : [rest], minTimeMs, maxTimeMs)) names.add(name);
    }
    if (names.size > 0) names.add(TENANT_LABEL);
    return [...names].sort();
  }

  async labelValues(name: string, matchers: readonly (readonly Matcher[])[], minTimeMs: number, maxTimeMs: number): Promise<string[]> {
    const values = new Set<string>();
    for (const set of matchers.length === 0 ? [[]] : matchers) {
      const { chosen, rest } = this.#split(set);
      for (const i of chosen) {
        if (name === TENANT_LABEL) values.add(this.#ids[i]!);
        else {
          const own = name === ORIGINAL_LABEL ? TENANT_LABEL : name;
          for (const value of await this.#queriers[i]!.labelValues(own, rest.length === 0 ? [] : [rest], minTimeMs, maxTimeMs)) values.add(value);
        }
      }
    }
    return [...values].sort();
  }

  close(): void {
    for (const querier of this.#queriers) querier.close();
  }
}
