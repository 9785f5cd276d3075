/**
 * File patterns: *, ?, [a-z], {a,b} and ** for any number of folders. Folders are listed again only when their time of change moved, so that
 * watching thousands of files costs one stat a folder.
 */
import fs from 'node:fs';
import path from 'node:path';

const MAX_DEPTH = 40;
/** A folder that changed so shortly before it was listed may change again within the same tick of the file system's clock. */
const UNSURE_MS = 2000;

/** Source of a RegExp for one pattern without braces; throws an Error on bad syntax. `*` and `?` stop at slashes. */
function segmentSource(pattern: string): string {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (c === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end < 0) throw new Error('parse glob: syntax error in pattern');
      const negated = pattern[i + 1] === '^' || pattern[i + 1] === '!';
      const inner = pattern.slice(i + (negated ? 2 : 1), end).replace(/[\\\]^[]/g, '\\$&');
      source += `[${negated ? '^' : ''}${inner}]`;
      i = end;
    } else if (c === '\\') {
      const next = pattern[++i];
      if (next === undefined) throw new Error('parse glob: syntax error in pattern');
      source += next.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    } else source += c.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  return source;
}

/** Patterns without braces that together mean the same. */
function expandBraces(pattern: string): string[] {
  let depth = 0,
    start = -1;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\') i++;
    else if (c === '{' && depth++ === 0) start = i;
    else if (c === '}' && depth > 0 && --depth === 0) {
      const before = pattern.slice(0, start),
        after = pattern.slice(i + 1);
      return splitAlternatives(pattern.slice(start + 1, i)).flatMap((choice) => expandBraces(`${before}${choice}${after}`));
    }
  }
  if (depth > 0) throw new Error('parse glob: syntax error in pattern');
  return [pattern];
}

function splitAlternatives(text: string): string[] {
  const parts: string[] = [];
  let depth = 0,
    from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
}

/** Whether a whole path matches; throws on bad syntax. */
export function compilePathPattern(pattern: string): (file: string) => boolean {
  const regexps = expandBraces(pattern).map((plain) => {
    let source = '^';
    const segments = plain.split('/');
    segments.forEach((segment, i) => {
      const last = i === segments.length - 1;
      if (segment === '**') source += last ? '.*' : '(?:[^/]+/)*';
      else source += segmentSource(segment) + (last ? '' : '/');
    });
    return new RegExp(`${source}$`, 'su');
  });
  return (file) => regexps.some((regexp) => regexp.test(file));
}

interface Listing {
  readonly changedMs: number;
  readonly listedMs: number;
  readonly names: readonly string[];
}

interface Plan {
  /** Where the first special character's folder is. */
  readonly base: string;
  readonly segments: readonly (string | RegExp)[];
}

export class FileFinder {
  readonly #plans: readonly Plan[];
  readonly #excluded: readonly ((file: string) => boolean)[];
  readonly #listings = new Map<string, Listing>();
  #used = new Set<string>();

  /** Throws an Error that names the pattern's fault. */
  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#plans = include.flatMap((pattern) => expandBraces(pattern).map(planOf));
    this.#excluded = exclude.map(compilePathPattern);
  }

  /** Paths that match, each once, in the order of the patterns. Names of folders may be among them. */
  find(): string[] {
    const found = new Set<string>();
    this.#used = new Set();
    for (const plan of this.#plans) this.#walk(plan.base, plan.segments, 0, found, 0);
    for (const folder of this.#listings.keys()) if (!this.#used.has(folder)) this.#listings.delete(folder);
    return this.#excluded.length === 0 ? [...found] : [...found].filter((file) => !this.#excluded.some((matches) => matches(file)));
  }

  #list(folder: string): readonly string[] {
    const known = this.#listings.get(folder);
    const place = folder === '' ? '.' : folder;
    try {
      const status = fs.statSync(place, { throwIfNoEntry: false });
      if (status === undefined || !status.isDirectory()) return [];
      this.#used.add(folder);
      if (known !== undefined && known.changedMs === status.mtimeMs && known.listedMs - known.changedMs > UNSURE_MS) return known.names;
      const names = fs.readdirSync(place).sort();
      this.#listings.set(folder, { changedMs: status.mtimeMs, listedMs: Date.now(), names });
      return names;
    } catch {
      return []; // Gone in between, or not ours to read.
    }
  }

  #walk(folder: string, segments: readonly (string | RegExp)[], index: number, found: Set<string>, depth: number): void {
    const segment = segments[index];
    if (segment === undefined || depth > MAX_DEPTH) return;
    const last = index === segments.length - 1;
    if (segment === '**') {
      if (!last) this.#walk(folder, segments, index + 1, found, depth + 1);
      for (const name of this.#list(folder)) {
        const at = join(folder, name);
        if (last) found.add(at);
        // A name with a dot in the middle is likely a file, but may be a folder: only listing tells.
        if (isFolder(at)) this.#walk(at, segments, index, found, depth + 1);
      }
      return;
    }
    if (typeof segment === 'string') {
      const at = join(folder, segment);
      if (!last) this.#walk(at, segments, index + 1, found, depth + 1);
      else found.add(at);
      return;
    }
    for (const name of this.#list(folder)) {
      if (!segment.test(name)) continue;
      if (last) found.add(join(folder, name));
      else this.#walk(join(folder, name), segments, index + 1, found, depth + 1);
    }
  }
}

function join(folder: string, name: string): string {
  return folder === '' ? name : folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

function isFolder(at: string): boolean {
  try {
    return fs.statSync(at, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

function planOf(pattern: string): Plan {
  const clean = path.posix.normalize(pattern),
    segments = clean.split('/');
  const base = clean.startsWith('/') ? '/' : '';
  const rest = base === '/' ? segments.slice(1) : segments;
  return {
    base,
    segments: rest.map((segment) => {
      if (segment === '**') return segment;
      return /[*?[\]\\]/.test(segment) ? new RegExp(`^${segmentSource(segment)}$`, 'su') : segment;
    }),
  };
}
