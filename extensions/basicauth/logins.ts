/**
 * Decides on Authorization headers. A hash like bcrypt is slow on purpose, and senders come many times a second with the same header, so what
 * was decided is remembered: under a digest with a key of our own, never the header itself. New ones are checked one at a time, and only so many
 * wait, so that a flood of wrong passwords leaves time for the work.
 */
import { hash, randomBytes } from 'node:crypto';
import { type AuthAttributes, UnauthenticatedError } from '#src/core/auth.ts';
import { RetryableError } from '#src/core/errors.ts';
import { decodeBase64, type Users } from './htpasswd.ts';

const MAX_REMEMBERED = 1024;
const MAX_WAITING = 64;
/** Longer ones would make the old hashes, which repeat the password by its length, a burden. */
const MAX_PASSWORD_BYTES = 1024;

export class Logins {
  readonly #users: Users;
  readonly #key = randomBytes(32).toString('base64');
  readonly #passed = new Map<string, AuthAttributes>();
  readonly #failed = new Set<string>();
  readonly #waiting = new Map<string, Promise<AuthAttributes>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(users: Users) {
    this.#users = users;
  }

  /** Who sends this header. Throws or rejects with UnauthenticatedError; RetryableError where too many wait. */
  check(header: string | undefined): AuthAttributes | Promise<AuthAttributes> {
    if (header === undefined || header === '') throw new UnauthenticatedError('no basic auth provided');
    const id = hash('sha256', this.#key + header, 'base64');
    const known = this.#passed.get(id) ?? this.#waiting.get(id);
    if (known !== undefined) return known;
    if (this.#failed.has(id)) throw wrong();
    const login = parseHeader(header);
    const check = this.#users.get(login.username);
    if (check === undefined || Buffer.byteLength(login.password) > MAX_PASSWORD_BYTES) throw wrong();
    const work = async (): Promise<AuthAttributes> => this.#decide(id, login, await check(login.password));
    if (this.#waiting.size >= MAX_WAITING) throw new RetryableError('too many logins wait to be checked', { reason: 'exhausted', retryAfterMs: 1000 });
    const decided = this.#last.then(work).finally(() => this.#waiting.delete(id));
    this.#last = decided.catch(() => {}); // Told to who waits for it.
    this.#waiting.set(id, decided);
    return decided;
  }

  #decide(id: string, { username, raw }: Login, right: boolean): AuthAttributes {
    if (!right) {
      forgetOldest(this.#failed);
      this.#failed.add(id);
      throw wrong();
    }
    const attributes = new Map([
      ['username', username],
      ['raw', raw],
    ]);
    forgetOldest(this.#passed);
    this.#passed.set(id, attributes);
    return attributes;
  }
}

const wrong = (): UnauthenticatedError => new UnauthenticatedError('invalid credentials');

function forgetOldest(remembered: Map<string, unknown> | Set<string>): void {
  if (remembered.size < MAX_REMEMBERED) return;
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    return;
  }
}

interface Login {
  readonly username: string;
  readonly password: string;
  /** As it came, in base64. */
  readonly raw: string;
}

/** "Basic " and name:password in base64. Text that is not UTF-8 is nobody's password. */
function parseHeader(header: string): Login {
  if (header.slice(0, 6).toLowerCase() !== 'basic ') throw new UnauthenticatedError('invalid authorization scheme prefix');
  const raw = header.slice(6);
  const bytes = decodeBase64(raw);
  const text = bytes?.toString('utf8') ?? '';
  const colon = text.indexOf(':');
  if (bytes === null || colon < 0) throw new UnauthenticatedError('invalid authorization format');
  if (text.includes('\ufffd')) throw wrong();
  return { username: text.slice(0, colon), password: text.slice(colon + 1), raw };
}
