/**
 * A row of an attribute, eight int32: start (at 0) and end of the field, start and size of the key, number of the key, start and end of the AnyValue,
 * its edit.
 *
 * Hot files take these as constants of their own, `const { END } = row`: an import is a cell that the compiler loads and checks at each use, a constant
 * of the same module is a number to it.
 */
export const END = 1;
export const KEY = 2;
export const ID = 3;
export const VALUE = 4;
export const VALUE_END = 5;
export const EDIT = 6;
export const KEY_SIZE = 7;
/** In the place of a key's number: nobody named it; the attribute was deleted; nobody named it, and the rest of the row is not known yet. */
export const UNKNOWN = -1;
export const DELETED = -2;
export const RAW = -3;
