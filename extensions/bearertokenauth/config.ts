/** Options of bearertokenauth, with the Collector's names and defaults. */
import { z } from 'zod';
import { secret } from '#src/config/schema.ts';

export const configSchema = z
  .strictObject({
    header: z
      .string()
      .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, { error: 'must be the name of a header' })
      .default('Authorization')
      .describe('Header that carries the token.'),
    scheme: z.string().default('Bearer').describe('Put before the token, with a blank; empty for the token alone.'),
    token: secret().default('').describe('The token.'),
    tokens: z.array(secret()).default([]).describe('Several tokens: a server takes any of them, a client sends the first.'),
    filename: z
      .string()
      .default('')
      .describe('File with tokens, one a line, the first word of it; read again when it changes. Goes before `token`, but not before `tokens`.'),
  })
  .check((context) => {
    const { token, tokens, filename } = context.value;
    if (token === '' && tokens.length === 0 && filename === '') context.issues.push({ code: 'custom', input: '', message: 'no bearer token provided' });
    if (token !== '' && tokens.length > 0) context.issues.push({ code: 'custom', input: '', message: 'either tokens or token should be provided, not both' });
  });
