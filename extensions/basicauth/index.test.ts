import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ClientAuthenticator, ServerAuthenticator } from '#src/core/auth.ts';
import type { Clock } from '#src/core/clock.ts';
import { systemClock } from '#src/core/clock.ts';
import type { ExtensionDefinition, Lifecycle } from '#src/core/component.ts';
import { testContext } from '#src/core/testing/context.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'basicauth-'));
after(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string): string => join(folder, name);

function create(config: object, clock: Clock = systemClock) {
  const context = testContext(configSchema.parse(config), { clock });
  const extension = (definition as ExtensionDefinition<typeof configSchema>).create(context) as Lifecycle & ServerAuthenticator & ClientAuthenticator;
  return { extension, lines: context.telemetry.lines };
}
const header = (text: string) => (name: string) => (name === 'authorization' ? `Basic ${Buffer.from(text).toString('base64')}` : undefined);

test('an extension is a server or a client', () => {
  const fault = (config: object): string => configSchema.safeParse(config).error?.issues[0]?.message ?? '';
  assert.equal(fault({}), 'no credential source provided');
  assert.equal(fault({ htpasswd: null, client_auth: null }), 'no credential source provided');
  assert.equal(fault({ htpasswd: {} }), 'no credential source provided');
  assert.match(fault({ htpasswd: { inline: 'a:b' }, client_auth: {} }), /only one of/);
  assert.match(fault({ client_auth: { username: 'a:b' } }), /invalid authorization format/);
  assert.match(fault({ htpasswd: { inlined: '' } }), /inlined/);
  assert.equal(fault({ client_auth: {} }), '');
});

test('inline users go before those of the file, and what is malformed is told without what it says', async () => {
  writeFileSync(inFolder('htpasswd'), 'ada:old\nbob:tide\nsecret-without-colon');
  const { extension, lines } = create({ htpasswd: { file: inFolder('htpasswd'), inline: 'ada:new\noops' } });
  assert.throws(() => extension.authenticate(header('ada:new')), /invalid credentials/, 'nobody before the start');
  await extension.start?.();
  assert.equal((await extension.authenticate(header('ada:new')))?.get('username'), 'ada');
  assert.equal((await extension.authenticate(header('bob:tide')))?.get('username'), 'bob');
  await assert.rejects(async () => extension.authenticate(header('ada:old')), /invalid credentials/);
  assert.match(lines.join('\n'), /"line":3/);
  assert.match(lines.join('\n'), /"inline_line":2/);
  assert.doesNotMatch(lines.join('\n'), /secret|oops/);
  await assert.rejects(async () => create({ htpasswd: { file: inFolder('none') } }).extension.start?.(), /open htpasswd file/);
});

test('a client sends what is configured, and what its files say when they change', async () => {
  const sent = (from: ClientAuthenticator): string => {
    const [name, value] = from.requestHeaders()[0]!;
    assert.equal(name, 'authorization');
    return Buffer.from(value.slice('Basic '.length), 'base64').toString();
  };
  assert.equal(sent(create({ client_auth: { username: 'ada', password: 'päss:word' } }).extension), 'ada:päss:word');

  const state = { tick: (): void => {} };
  const clock: Clock = {
    ...systemClock,
    every(_, work) {
      state.tick = work;
      return () => void (state.tick = (): void => {});
    },
  };
  writeFileSync(inFolder('v1'), ' one\n');
  symlinkSync(inFolder('v1'), inFolder('password'));
  const { extension, lines } = create({ client_auth: { username: 'ada', password: 'ignored', password_file: inFolder('password') } }, clock);
  await extension.start?.();
  assert.equal(sent(extension), 'ada:one');
  const turn = async (): Promise<void> => {
    const before = lines.length;
    state.tick();
    for (let i = 0; i < 100 && lines.length === before; i++) await new Promise((done) => setTimeout(done, 5));
  };
  writeFileSync(inFolder('v2'), 'two');
  symlinkSync(inFolder('v2'), inFolder('next'));
  renameSync(inFolder('next'), inFolder('password'));
  await turn();
  assert.equal(sent(extension), 'ada:two');
  writeFileSync(inFolder('v2'), ' \n');
  await turn();
  assert.equal(sent(extension), 'ada:two', 'an empty file is not believed');
  assert.match(lines.at(-1)!, /^warn failed to reload credentials file, keeping last value/);
  await extension.shutdown?.();
  await assert.rejects(async () => create({ client_auth: { username_file: inFolder('none') } }).extension.start?.(), /failed to read credentials file/);
  writeFileSync(inFolder('colon'), 'a:b');
  await assert.rejects(async () => create({ client_auth: { username_file: inFolder('colon') } }).extension.start?.(), /failed to read credentials file/);
});
