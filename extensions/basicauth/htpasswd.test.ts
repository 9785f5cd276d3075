import assert from 'node:assert/strict';
import test from 'node:test';
import type { AuthAttributes } from '#src/core/auth.ts';
import { RetryableError } from '#src/core/errors.ts';
import { parseHtpasswd } from './htpasswd.ts';
import { Logins } from './logins.ts';

const LONG = 'a very long password of more than sixty-four characters, to go over all the blocks there are, twice';
// Made by openssl passwd, by crypt(3) of libxcrypt, and by hashlib; the Collector takes each.
const HASHES: readonly (readonly [name: string, hash: string, password: string])[] = [
  ['apr1', '$apr1$r31.....$ysBwHVFKzttXJjK9lhcCI.', 'tide'],
  ['md5', '$1$saltsalt$b7GmODUO.ExME//Hi1tus.', 'tide'],
  ['md5, long', '$1$ab$WKYVezXijhmwB3YmWwjXo1', LONG],
  ['sha256', '$5$saltstring$MUR74K7NN4suk0J1KuIE1Mx2U2DaLCzAe8NbdIIJ.J4', 'tide'],
  ['sha256, long', '$5$rounds=1000$x$LtpanEvZTkifKzmGJHsPbDPM.9zGr97NU0yOMXnY9H7', LONG],
  ['sha512', '$6$e4fb4910470fd97e$aYVWn.VwsePslOuk3udYY6ytAbNCKNCpaE2jUhH07750D9DWw5ExWrZDYRPm9ToGgc.73MQc3OSJZsfeW.kYh.', 'tide'],
  ['sha512, rounds', '$6$rounds=1400$anotherlongsalts$GgcepX6fOLIJW7xvfYVrSrqekD3kw/DFvTcH0wDryLJYvr0zeywcE929zWAL4i0K7HkZvMccuhHnDy3aQxYtR0', 'tide'],
  ['sha512, long', '$6$longsaltlongsalt$UEtUKW1lzGeuEIELMuIUCG.CABo9piVBwCBWEUPrhW7zqlwhnjwWwakPViGb6rGsoFX0CcRGFDWAbjnt0MlYK1', LONG],
  ['bcrypt', '$2y$04$abcdefghijklmnopqrstuu1qpP1CMp/0kFovmakDl70ruBcZs2vS.', 'tide'],
  ['bcrypt, x', '$2x$04$abcdefghijklmnopqrstuu1qpP1CMp/0kFovmakDl70ruBcZs2vS.', 'tide'],
  ['sha1', '{SHA}F8dy1i1vEIwh3t/g0q5/SVqFmPo=', 'tide'],
  ['sha1 with salt', '{SSHA}zzhdknMmb6pFlzx564utJ20CdsdwZXBwZXI=', 'tide'],
  ['plain', 'tide', 'tide'],
  ['plain of nginx', '{PLAIN}tide', 'tide'],
];
const none = (line: number): void => assert.fail(`line ${line} is fine`);

test('each kind of hash takes its password and no other', async () => {
  const users = parseHtpasswd(HASHES.map(([name, hash]) => `${name}:${hash}`).join('\n'), none);
  for (const [name, , password] of HASHES) {
    assert.equal(await users.get(name)!(password), true, name);
    for (const wrong of ['', 'x', `${password} `, password.slice(1), password.toUpperCase()])
      assert.equal(await users.get(name)!(wrong), false, `${name} and "${wrong}"`);
  }
});

test('blank lines do not count, later lines replace earlier ones, and malformed ones are told by number', () => {
  const bad: number[] = [];
  const users = parseHtpasswd('\n  ada:one \r\nno colon\nada:two\nb:{SHA}short\nc:$apr1$nosalt\nd:$2y$99$x\ne:$6$rounds=999999999$s$h\nf:{SSHA}!\n', (line) =>
    bad.push(line),
  );
  assert.deepEqual([...users.keys()], ['ada']);
  assert.equal(users.get('ada')!('two'), true);
  assert.deepEqual(bad, [3, 5, 6, 7, 8, 9]);
});

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;
const rejects = (work: () => unknown, message: RegExp): Promise<void> => assert.rejects(async () => void (await work()), message);

test('a login that passed is the same attributes again, one that failed fails again, and the hash is asked once for each', async () => {
  const state = { asked: 0 };
  const check = (password: string): Promise<boolean> => Promise.resolve(++state.asked > 0 && password === 'a:b');
  const logins = new Logins(new Map([['ada', check]]));
  const both = await Promise.all([logins.check(basic('ada:a:b')), logins.check(basic('ada:a:b'))]);
  assert.deepEqual(
    [...both[0]],
    [
      ['username', 'ada'],
      ['raw', 'YWRhOmE6Yg=='],
    ],
  );
  assert.equal(both[1], both[0]);
  assert.equal(logins.check(basic('ada:a:b')), both[0], 'at once');
  assert.equal(state.asked, 1);
  for (let i = 0; i < 3; i++) await rejects(() => logins.check(basic('ada:wrong')), /^UnauthenticatedError: invalid credentials$/);
  assert.equal(state.asked, 2);
});

test('what is no login is refused in the words of the Collector', async () => {
  const logins = new Logins(parseHtpasswd('ada:tide\n:\n\ufffd:\ufffd', none));
  const check = (header: string | undefined, message: RegExp): Promise<void> => rejects(() => logins.check(header), message);
  await check(undefined, /no basic auth provided/);
  await check('', /no basic auth provided/);
  await check('Bearer x', /invalid authorization scheme prefix/);
  await check('Basic', /invalid authorization scheme prefix/);
  await check('Basic !', /invalid authorization format/);
  await check('Basic YWRhOnRpZGU', /invalid authorization format/);
  await check(basic('ada'), /invalid authorization format/);
  await check(basic('eve:tide'), /invalid credentials/);
  await check(basic(`ada:${'x'.repeat(2000)}`), /invalid credentials/);
  await check(basic(Buffer.from([0xff, 0x3a, 0xff])), /invalid credentials/);
  assert.equal(((await logins.check('bAsIc YWRhOnRpZGU=')) as AuthAttributes).get('username'), 'ada');
  assert.equal(((await logins.check(basic(':'))) as AuthAttributes).get('username'), '');
});

test('of a flood of new logins one is checked at a time, and only so many wait', async () => {
  const state = { running: 0, most: 0 };
  const slow = async (): Promise<boolean> => {
    state.most = Math.max(state.most, ++state.running);
    await new Promise((done) => setImmediate(done));
    state.running--;
    return false;
  };
  const logins = new Logins(new Map([['ada', slow]]));
  const answers = await Promise.allSettled(Array.from({ length: 100 }, async (_, i) => logins.check(basic(`ada:${i}`))));
  assert.equal(state.most, 1);
  const told = answers.map((answer) => (answer.status === 'rejected' && answer.reason instanceof RetryableError ? 'later' : answer.status));
  assert.equal(told.filter((each) => each === 'later').length, 36);
  await rejects(() => logins.check(basic('ada:99')), /invalid credentials/);
});
