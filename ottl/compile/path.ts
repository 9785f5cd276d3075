/** From a path as written to the closures of the context: context name, segments, keys. */
import type { CompiledKey, PathAccess, PathEntry, PathTable } from '#ottl/contexts/context.ts';
import type { Key, Path } from '#ottl/syntax/ast.ts';
import { didYouMean } from '#ottl/syntax/error.ts';
import { fault } from './fault.ts';
import type { Scope } from './scope.ts';

export function compilePath(path: Path, scope: Scope, compileKey: (key: Key) => CompiledKey, written: boolean): PathAccess {
  const { context } = scope;
  const text = path.segments.map((segment) => segment.name).join('.');
  let { level, paths: table } = context.roots[context.name]!;
  let root = '';
  let at = 0;
  const first = path.segments[0]!;
  const named = path.segments.length > 1 && first.keys.length === 0 && Object.hasOwn(context.roots, first.name);
  if (named) {
    ({ level, paths: table } = context.roots[first.name]!);
    root = first.name;
    at = 1;
  } else if (scope.pathNames === 'required') {
    const options = Object.keys(context.roots).filter((name) => Object.hasOwn(context.roots[name]!.paths, first.name));
    throw fault(
      `path "${text}" must begin with the name of a context${options.length > 0 ? `: ${options.map((name) => `${name}.${text}`).join(' or ')}` : `, one of ${Object.keys(context.roots).join(', ')}`}`,
      path.start,
    );
  }
  scope.touched.reads |= level;
  if (written) scope.touched.writes |= level;
  let entry: PathEntry | undefined;
  for (; at < path.segments.length; at++) {
    const segment = path.segments[at]!;
    const within: PathTable = entry ? (entry.next ?? {}) : table;
    const found: PathEntry | undefined = Object.hasOwn(within, segment.name) ? within[segment.name] : undefined;
    if (!found) {
      const known = Object.keys(within);
      const context_ = root === '' ? context.name : root;
      throw fault(
        entry && known.length === 0
          ? `the path section "${segment.name}" was not used: "${path.segments[at - 1]!.name}" has no parts`
          : `segment "${segment.name}" from path "${text}" is not a valid path of the ${context_} context${didYouMean(segment.name, known) || `; it has ${known.join(', ')}`}`,
        path.start,
      );
    }
    entry = found;
    const last = at === path.segments.length - 1;
    if (segment.keys.length === 0) continue;
    if (!last || !entry.keyed) throw fault(`the keys indexing "${segment.name}" are of no use: "${segment.name}" does not support indexing`, path.start);
    return entry.keyed(segment.keys.map(compileKey));
  }
  if (!entry?.plain) throw fault(`path "${text}" needs a part behind it: ${Object.keys(entry?.next ?? {}).join(', ')}`, path.start);
  return entry.plain;
}
