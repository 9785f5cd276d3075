/**
 * The lines of an htpasswd file: "name:hash", the hash one of bcrypt, {SHA}, {SSHA}, $apr1$, $1$, $5$, $6$, and everything else the password itself.
 * Which is which is told by its beginning. crypt(3)'s DES is deliberately not there: its hashes cannot be told from passwords.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { DEFAULT_SHA_ROUNDS, md5Crypt, shaCrypt } from './crypt_hashes.ts';

/** Whether it is the password. What takes long comes as a promise. */
export type Check = (password: string) => boolean | Promise<boolean>;
/** Checks by user name. */
export type Users = ReadonlyMap<string, Check>;

const SHA1_BYTES = 20;
const MAX_ROUNDS = 1_000_000;

/** Later lines replace earlier ones of the same name. `bad` is told the number of a line that is none, counted from 1; it is passed over. */
export function parseHtpasswd(text: string, bad: (line: number) => void): Users {
  const users = new Map<string, Check>();
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '') return;
    const colon = line.indexOf(':');
    const check = colon < 0 ? null : parseHash(line.slice(colon + 1));
    if (check === null) bad(index + 1);
    else users.set(line.slice(0, colon), check);
  });
  return users;
}

/** Null where it begins as a hash and is none. */
function parseHash(text: string): Check | null {
  if (text.startsWith('$apr1$') || text.startsWith('$1$')) return md5Check(text);
  if (text.startsWith('{SHA}')) return shaCheck(decodeBase64(text.slice(5)), SHA1_BYTES);
  if (/^\$2[abxy]\$/.test(text)) return bcryptCheck(text);
  if (text.startsWith('{SSHA}')) return shaCheck(decodeBase64(text.slice(6)), Number.POSITIVE_INFINITY);
  if (text.startsWith('$5$') || text.startsWith('$6$')) return shaCryptCheck(text);
  // nginx writes {PLAIN} before a password.
  return (password) => isSame(password, text) || isSame(`{PLAIN}${password}`, text);
}

function md5Check(text: string): Check | null {
  const [, prefix, salt, wanted] = /^(\$1\$|\$apr1\$)([^$]*)\$(.*)$/.exec(text) ?? [];
  if (salt === undefined || wanted === undefined) return null;
  return (password) => isSame(md5Crypt(Buffer.from(password), Buffer.from(salt), prefix as '$1$' | '$apr1$'), wanted);
}

/** SHA-1 of the password and the salt that is behind it. */
function shaCheck(bytes: Buffer | null, maxBytes: number): Check | null {
  if (bytes === null || bytes.length < SHA1_BYTES || bytes.length > maxBytes) return null;
  const wanted = bytes.subarray(0, SHA1_BYTES);
  const salt = bytes.subarray(SHA1_BYTES);
  return (password) => timingSafeEqual(sha1(Buffer.concat([Buffer.from(password), salt])), wanted);
}

function bcryptCheck(text: string): Check | null {
  if (!/^\$2[abxy]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/.test(text)) return null;
  // The letters name repaired faults of old programs; the hash is the same. bcryptjs does not know x.
  const wanted = text.replace('$2x$', '$2b$');
  return (password) => bcrypt.compare(password, wanted);
}

function shaCryptCheck(text: string): Check | null {
  const [, kind, count, salt, wanted] = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]*)\$(.*)$/.exec(text) ?? [];
  if (salt === undefined || wanted === undefined) return null;
  const rounds = count === undefined ? DEFAULT_SHA_ROUNDS : Math.max(1000, Number(count));
  if (rounds > MAX_ROUNDS) return null;
  return async (password) =>
    isSame(await shaCrypt(kind === '5' ? 'sha256' : 'sha512', Buffer.from(password), Buffer.from(salt).subarray(0, 16), rounds), wanted);
}

const sha1 = (data: string | Uint8Array): Buffer => hash('sha1', data, 'buffer');
/** In a time that says nothing of where they differ: digests are compared. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** Null where it is no base64 in the standard's alphabet, with padding. */
export function decodeBase64(text: string): Buffer | null {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) ? Buffer.from(text, 'base64') : null;
}
