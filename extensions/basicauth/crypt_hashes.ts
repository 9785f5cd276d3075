/**
 * The old Unix password hashes over MD5 ("$1$" of FreeBSD, "$apr1$" of Apache) and SHA-2 ("$5$", "$6$": https://www.akkadia.org/drepper/SHA-crypt.txt),
 * as text behind the last "$". They are there for the files that exist; a new password belongs into bcrypt.
 */
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Rounds between two turns of the event loop: about a millisecond. */
const ROUNDS_A_TURN = 1000;

type Algorithm = 'md5' | 'sha256' | 'sha512';
const digest = (algorithm: Algorithm, ...parts: readonly Uint8Array[]): Buffer => hash(algorithm, Buffer.concat(parts), 'buffer');

/** `bytes` again and again until there are `size`. */
const stretch = (bytes: Buffer, size: number): Buffer => Buffer.alloc(size, bytes);

/** 24 bits at a time as four digits, the lowest first; the last group has fewer bytes. Index -1 is a zero byte. */
function digitsOf(bytes: Buffer, order: readonly number[], count: number): string {
  let out = '';
  for (let i = 0; i < order.length; i += 3) {
    let bits = 0;
    for (let k = 0; k < 3; k++) bits = (bits << 8) | (order[i + k]! < 0 ? 0 : bytes[order[i + k]!]!);
    for (let k = 0; k < 4; k++, bits >>>= 6) out += DIGITS[bits & 63]!;
  }
  return out.slice(0, count);
}

const MD5_ORDER = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, -1, -1, 11];
const EMPTY = Buffer.alloc(0);
const ZERO = Buffer.alloc(1);

export function md5Crypt(password: Buffer, salt: Buffer, prefix: '$1$' | '$apr1$'): string {
  const start = [password, Buffer.from(prefix), salt, stretch(digest('md5', password, salt, password), password.length)];
  for (let rest = password.length; rest > 0; rest >>= 1) start.push((rest & 1) === 1 ? ZERO : password.subarray(0, 1));
  let sum = digest('md5', ...start);
  for (let round = 0; round < 1000; round++) sum = digest('md5', ...mixed(round, sum, password, salt));
  return digitsOf(sum, MD5_ORDER, 22);
}

/** What all of these hash in a round: both what there is and the password, in an order that changes, between them salt and password at times. */
function mixed(round: number, sum: Buffer, password: Buffer, salt: Buffer): Buffer[] {
  const odd = (round & 1) === 1;
  return [odd ? password : sum, round % 3 === 0 ? EMPTY : salt, round % 7 === 0 ? EMPTY : password, odd ? sum : password];
}

/** Three bytes a third apart, going round by one each time. */
function shaOrder(size: 32 | 64): number[] {
  const order: number[] = [];
  const third = size === 64 ? 21 : 10;
  for (let i = 0; i < third; i++) {
    const group = [i, i + third, i + 2 * third];
    // SHA-512 turns each group one to the left, SHA-256 one to the right.
    const turn = size === 64 ? i % 3 : (3 - (i % 3)) % 3;
    order.push(...group.slice(turn), ...group.slice(0, turn));
  }
  return size === 64 ? [...order, -1, -1, 63] : [...order, -1, 31, 30];
}
const SHA_ORDERS = { sha256: shaOrder(32), sha512: shaOrder(64) };
const SHA_DIGITS = { sha256: 43, sha512: 86 };
export const DEFAULT_SHA_ROUNDS = 5000;

export async function shaCrypt(algorithm: 'sha256' | 'sha512', password: Buffer, salt: Buffer, rounds: number): Promise<string> {
  const both = digest(algorithm, password, salt, password);
  const start = [password, salt, stretch(both, password.length)];
  for (let rest = password.length; rest > 0; rest >>= 1) start.push((rest & 1) === 1 ? both : password);
  let sum = digest(algorithm, ...start);
  const passwordBytes = stretch(digest(algorithm, Buffer.alloc(password.length * password.length, password)), password.length);
  const saltBytes = stretch(digest(algorithm, Buffer.alloc(salt.length * (16 + sum[0]!), salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    sum = digest(algorithm, ...mixed(round, sum, passwordBytes, saltBytes));
    if (round % ROUNDS_A_TURN === ROUNDS_A_TURN - 1) await nextTurn();
  }
  return digitsOf(sum, SHA_ORDERS[algorithm], SHA_DIGITS[algorithm]);
}
