/**
 * Where configuration comes from: file:, env:, yaml:, http: and https: URIs, and plain file names. Each gives text; what it means is read
 * elsewhere. Other schemes are refused. Watching sources for changes is not here.
 */
import { readFile } from 'node:fs/promises';
import { ConfigError, errorText } from '#src/core/errors.ts';

const MAX_SOURCE_BYTES = 64 << 20;
const HTTP_TIMEOUT_MS = 30_000;
/** As in RFC 3986, with at least two characters, so that C:\x is a file. */
const URI = /^([A-Za-z][A-Za-z0-9+.-]+):([\s\S]*)$/;
const ENV_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export interface SourceText {
  readonly text: string;
  /** How errors call it. */
  readonly name: string;
}

/** Scheme and rest of a URI; a text without a scheme is a file where `defaultScheme` says so, a variable inside `${}`. */
export function splitUri(uri: string, defaultScheme: 'file' | 'env'): { scheme: string; opaque: string } {
  const match = URI.exec(uri);
  if (match === null && defaultScheme === 'env' && uri.includes(':')) throw new ConfigError(`"\${${uri}}" has no scheme; write \${env:${uri}}`);
  return match === null ? { scheme: defaultScheme, opaque: uri } : { scheme: match[1]!, opaque: match[2]! };
}

/** The text behind a URI. Throws ConfigError that names the source. */
export async function readSource(uri: string, defaultScheme: 'file' | 'env'): Promise<SourceText> {
  const { scheme, opaque } = splitUri(uri, defaultScheme);
  switch (scheme) {
    case 'file':
      return { text: await readTextFile(opaque), name: opaque };
    case 'env':
      return { text: readVariable(opaque), name: `env:${opaque.split(':-', 1)[0]}` };
    case 'yaml':
      return { text: opaque, name: 'yaml:' };
    case 'http':
    case 'https':
      return { text: await readHttp(uri), name: uri };
    default:
      throw new ConfigError(`scheme "${scheme}" of "${uri}" is not supported; use one of: file, env, yaml, http, https`);
  }
}

/** "X" or "X:-default"; an unset variable without a default is empty. */
function readVariable(spec: string): string {
  const cut = spec.indexOf(':-');
  const name = cut < 0 ? spec : spec.slice(0, cut);
  if (!ENV_NAME.test(name)) throw new ConfigError(`"${name}" is not the name of an environment variable; letters, digits and "_" make one`);
  return process.env[name] ?? (cut < 0 ? '' : spec.slice(cut + 2));
}

async function readTextFile(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_SOURCE_BYTES) throw new Error(`larger than ${MAX_SOURCE_BYTES} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    throw new ConfigError(`cannot read the configuration file "${path}": ${errorText(error)}`);
  }
}

async function readHttp(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const text = await response.text();
    if (text.length > MAX_SOURCE_BYTES) throw new Error(`larger than ${MAX_SOURCE_BYTES} bytes`);
    return text;
  } catch (error) {
    throw new ConfigError(`cannot read the configuration from ${url}: ${errorText(error)}`);
  }
}
