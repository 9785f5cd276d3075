/** Options of basicauth, with the Collector's names and defaults. One extension is a server's or a client's, not both. */
import { z } from 'zod';
import { secret } from '#src/config/schema.ts';

const htpasswd = z
  .strictObject({
    file: z.string().default('').describe('File in the format of htpasswd; read at the start.'),
    inline: secret().default('').describe('The same as text; its users go before those of the file.'),
  })
  .refine(({ file, inline }) => file !== '' || inline !== '', { message: 'no credential source provided' });

/** The other side would take what is behind it for the password. */
export const COLON_FAULT = 'invalid authorization format: a user name has no ":"';

const client = z.strictObject({
  username: z
    .string()
    .refine((value) => !value.includes(':'), { message: COLON_FAULT })
    .default('')
    .describe('Name to send.'),
  username_file: z.string().default('').describe('File with the name; goes before `username` and is read again when it changes.'),
  password: secret().default('').describe('Password to send.'),
  password_file: z.string().default('').describe('File with the password; goes before `password` and is read again when it changes.'),
});
export type ClientAuthConfig = z.output<typeof client>;

const nullIsAbsent = (value: unknown): unknown => value ?? undefined;

export const configSchema = z
  .strictObject({
    htpasswd: z.preprocess(nullIsAbsent, htpasswd.optional()).describe('Who may send to servers that name this extension.'),
    client_auth: z.preprocess(nullIsAbsent, client.optional()).describe('Whom clients that name this extension send as.'),
  })
  .check((context) => {
    const { htpasswd: server, client_auth } = context.value;
    if (server && client_auth) context.issues.push({ code: 'custom', input: '', message: 'only one of `htpasswd` or `client_auth` can be specified' });
    if (!server && !client_auth) context.issues.push({ code: 'custom', input: '', message: 'no credential source provided' });
  });
