import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ClientAuthenticator, ServerAuthenticator } from '#src/core/auth.ts';
import { UnauthenticatedError } from '#src/core/auth.ts';
import type { ExtensionDefinition, Lifecycle } from '#src/core/component.ts';
import { testContext } from '#src/core/testing/context.ts';
import { configSchema } from './config.ts';
import definition from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'bearertokenauth-'));
after(() => rmSync(folder, { recursive: true }));

function create(config: object) {
  const context = testContext(configSchema.parse(config));
  const extension = (definition as ExtensionDefinition<typeof configSchema>).create(context) as Lifecycle & ServerAuthenticator & ClientAuthenticator;
  const takes = (value: string | undefined, name = 'authorization'): boolean => {
    try {
      extension.authenticate((asked) => (asked === name ? value : undefined));
      return true;
    } catch (error) {
      assert.ok(error instanceof UnauthenticatedError);
      return false;
    }
  };
  return { extension, takes, lines: context.telemetry.lines };
}

test('a token is needed, in one place', () => {
  const fault = (config: object): string => configSchema.safeParse(config).error?.issues[0]?.message ?? '';
  assert.equal(fault({}), 'no bearer token provided');
  assert.match(fault({ token: 'a', tokens: ['b'] }), /either tokens or token/);
  assert.match(fault({ token: 'a', header: 'a b' }), /name of a header/);
  assert.equal(fault({ token: 'a', filename: '/x' }), '');
});

test('the token is taken with its scheme and sent so, and nothing else is taken', () => {
  const { extension, takes } = create({ token: 'tok comment' });
  assert.deepEqual(extension.requestHeaders(), [['authorization', 'Bearer tok']]);
  assert.equal(takes('Bearer tok'), true);
  for (const wrong of [undefined, '', 'tok', 'bearer tok', 'Bearer tok ', 'Bearer to', 'Bearer tokk', 'Bearer ']) assert.equal(takes(wrong), false, wrong);
});

test('of several tokens each is taken and the first is sent, under the header that is named', () => {
  const { extension, takes } = create({ tokens: ['a', 'b c'], header: 'X-Key', scheme: '' });
  assert.deepEqual(extension.requestHeaders(), [['x-key', 'a']]);
  assert.equal(takes('b c', 'x-key'), true);
  assert.equal(takes('b', 'x-key'), false);
  assert.equal(takes('a'), false);
});

test('a file goes before the token and has one a line', async () => {
  const filename = join(folder, 'tokens');
  writeFileSync(filename, '\n  one # first\n\ttwo\r\n\n');
  const { extension, takes, lines } = create({ token: 'inline', filename });
  assert.equal(takes('Bearer inline'), false, 'not before the start, too');
  await extension.start?.();
  assert.deepEqual(extension.requestHeaders(), [['authorization', 'Bearer one']]);
  assert.deepEqual(
    ['one', 'two', 'inline', '#'].map((token) => takes(`Bearer ${token}`)),
    [true, true, false, false],
  );
  assert.match(lines.join('\n'), /Configured token\(s\) is ignored/);
  await extension.shutdown?.();
  await assert.rejects(async () => create({ filename: join(folder, 'none') }).extension.start?.(), /failed to read credentials file/);
});
