/**
 * The store: a directory with a tenant in each folder below it, `<directory>/<tenant>/`, where each is a Prometheus data directory. One process
 * at a time, guarded by a lock file. It knows nothing of pipelines or HTTP: extensions/store opens it, others find it through isStore().
 */
import fs from 'node:fs';
import path from 'node:path';
import { PermanentError, errorText } from '#src/core/errors.ts';
import type { Clock } from '#src/core/clock.ts';
import type { Log } from '#src/core/telemetry.ts';
import { takeLock } from './lock.ts';
import { Tenant } from './tenant.ts';
import type { TenantOptions, TenantStatus } from './tenant.ts';

/** Who does not say otherwise. */
export const DEFAULT_TENANT = 'anonymous';
const MAINTENANCE_MS = 60_000;

/** What extensions/store offers to exporters/store and extensions/store_api. */
export interface StoreExtension {
  /** The tenant of an id, made where there is none. Throws PermanentError for an id that Cortex would refuse. */
  tenant(id: string): Tenant;
  /** The tenant if it exists: what a reader asks for. */
  existingTenant(id: string): Tenant | undefined;
  storeStatus(): StoreStatus;
}
export interface StoreStatus {
  readonly directory: string;
  readonly tenants: readonly TenantStatus[];
}
export function isStore(extension: unknown): extension is StoreExtension {
  const candidate = extension as Partial<StoreExtension> | undefined;
  return typeof candidate?.tenant === 'function' && typeof candidate.storeStatus === 'function';
}

/** Throws PermanentError unless `id` is a tenant id by Cortex's rules: 1 to 150 of letters, digits and !-_.*'(), no "." or "..". */
export function checkTenantId(id: string): void {
  if (id === '') throw new PermanentError('no org id');
  if (id.length > 150) throw new PermanentError('tenant ID is too long: max 150 characters');
  const unsupported = /[^a-zA-Z0-9!\-_.*'()]/.exec(id);
  if (unsupported) throw new PermanentError(`tenant ID '${id}' contains unsupported character '${unsupported[0]}'`);
  if (id === '.' || id === '..') throw new PermanentError("tenant ID is '.' or '..'");
}

export class Store implements StoreExtension {
  readonly directory: string;
  readonly #options: (tenant: string) => TenantOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #tenants = new Map<string, Tenant>();
  #unlock = (): void => {};
  #stopMaintenance = (): void => {};
  #isOpen = false;

  constructor(directory: string, options: (tenant: string) => TenantOptions, log: Log, clock: Clock) {
    this.directory = path.resolve(directory);
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
  }

  /** Takes the lock and opens every tenant there is. */
  open(): void {
    fs.mkdirSync(this.directory, { recursive: true });
    this.#unlock = takeLock(path.join(this.directory, 'lock'));
    this.#isOpen = true;
    for (const entry of fs.readdirSync(this.directory, { withFileTypes: true })) {
      if (entry.isDirectory() && isTenantFolder(path.join(this.directory, entry.name))) this.tenant(entry.name);
    }
    this.#stopMaintenance = this.#clock.every(MAINTENANCE_MS, () => void this.maintain());
  }

  tenant(id: string): Tenant {
    let tenant = this.#tenants.get(id);
    if (tenant !== undefined) return tenant;
    if (!this.#isOpen) throw new PermanentError('the store is closed');
    checkTenantId(id);
    tenant = new Tenant(id, path.join(this.directory, id), this.#options(id), this.#log);
    this.#tenants.set(id, tenant);
    return tenant;
  }

  existingTenant(id: string): Tenant | undefined {
    return this.#tenants.get(id);
  }

  async maintain(): Promise<void> {
    for (const tenant of this.#tenants.values()) await tenant.maintain(this.#clock.nowMs());
  }

  storeStatus(): StoreStatus {
    return { directory: this.directory, tenants: [...this.#tenants.values()].map((tenant) => tenant.status()) };
  }

  /** Everything appended is in the log when it settles. Safe twice. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopMaintenance();
    for (const tenant of this.#tenants.values()) {
      try {
        await tenant.close();
      } catch (error) {
        this.#log.error('Tenant could not be closed: what was not answered may be lost.', { tenant: tenant.id, error: errorText(error) });
      }
    }
    this.#tenants.clear();
    this.#unlock();
  }
}

/** A log or a block makes a data directory: one that promtool wrote has blocks only. */
function isTenantFolder(folder: string): boolean {
  return fs.existsSync(path.join(folder, 'wal')) || fs.readdirSync(folder).some((name) => fs.existsSync(path.join(folder, name, 'meta.json')));
}
