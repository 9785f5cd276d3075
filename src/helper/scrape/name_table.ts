/** Numbers for the metric names and places (job, instance, scope) of a target's series, which share few of them. */
import { DROPPED, type SampleColumns } from './columns.ts';
import type { Place } from './families.ts';

/** So many more than series are kept of those that are gone. */
const SPARE = 1000;

export class NameTable {
  names: string[] = [];
  places: Place[] = [];
  readonly #nameIds = new Map<string, number>();
  readonly #placeIds = new Map<string, number>();
  #lastPlace = 0;

  nameId(name: string): number {
    let id = this.#nameIds.get(name);
    if (id === undefined) {
      id = this.names.length;
      this.names.push(name);
      this.#nameIds.set(name, id);
    }
    return id;
  }

  placeId(place: Place): number {
    const last = this.places[this.#lastPlace];
    if (last !== undefined && place.scope === last.scope && place.job === last.job && place.instance === last.instance) return this.#lastPlace;
    const key = JSON.stringify([place.job, place.instance, place.scope.name, place.scope.version, place.scope.schemaUrl, place.scope.attributes]);
    let id = this.#placeIds.get(key);
    if (id === undefined) {
      id = this.places.length;
      this.places.push(place);
      this.#placeIds.set(key, id);
    }
    this.#lastPlace = id;
    return id;
  }

  /** Those of series that are gone for long are forgotten when they are more than those in use; the columns get new numbers then. */
  forget(columns: SampleColumns): void {
    if (this.names.length < SPARE + 2 * columns.count && this.places.length < SPARE + 2 * columns.count) return;
    const { names, places } = this;
    this.names = [];
    this.places = [];
    this.#nameIds.clear();
    this.#placeIds.clear();
    this.#lastPlace = 0;
    for (let k = 0; k < columns.count; k++) {
      if ((columns.flags[k]! & DROPPED) !== 0) continue;
      columns.name[k] = this.nameId(names[columns.name[k]!]!);
      columns.place[k] = this.placeId(places[columns.place[k]!]!);
    }
  }
}
