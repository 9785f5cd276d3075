import { readFile } from 'node:fs/promises';
import { basicCredentials, type ClientAuthenticator, type ServerAuthenticator } from '#src/core/auth.ts';
import { type CreateContext, defineExtension, type Lifecycle } from '#src/core/component.ts';
import { CredentialsFile } from '#src/helper/credentials_file.ts';
import { type ClientAuthConfig, COLON_FAULT, configSchema } from './config.ts';
import { parseHtpasswd } from './htpasswd.ts';
import { Logins } from './logins.ts';

type Context = Pick<CreateContext<unknown>, 'telemetry' | 'clock'>;

/** Name and password as HTTP's Basic authentication: checked for servers (`htpasswd`), or sent by clients (`client_auth`). */
export default defineExtension({
  type: 'basicauth',
  stability: 'beta',
  configSchema,
  create({ config, telemetry, clock }) {
    return config.htpasswd ? server(config.htpasswd, { telemetry, clock }) : client(config.client_auth!, { telemetry, clock });
  },
});

function server(htpasswd: { file: string; inline: string }, { telemetry }: Context): ServerAuthenticator & Lifecycle {
  let logins = new Logins(new Map());
  return {
    async start() {
      const file = htpasswd.file === '' ? '' : `${await readHtpasswd(htpasswd.file)}\n`;
      const fileLines = file.split('\n').length - 1;
      // Behind the file, so that the inline users replace those of the same name.
      const users = parseHtpasswd(file + htpasswd.inline, (line) =>
        // Not what it says: it may be a password.
        telemetry.log.warn(
          'A line of htpasswd is malformed and counts for nothing.',
          line > fileLines ? { inline_line: line - fileLines } : { file: htpasswd.file, line },
        ),
      );
      logins = new Logins(users);
    },
    authenticate: (headers) => logins.check(headers('authorization')),
    challenge: 'Basic realm="penstock", charset="UTF-8"',
  };
}

async function readHtpasswd(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error('open htpasswd file', { cause: error });
  }
}

function client(auth: ClientAuthConfig, { telemetry, clock }: Context): ClientAuthenticator & Lifecycle {
  let { username, password } = auth,
    header = basicCredentials(username, password);
  const files: CredentialsFile[] = [];
  const watch = (path: string, use: (value: string) => void): void => {
    if (path === '') return;
    const onChange = (value: string): void => {
      use(value);
      header = basicCredentials(username, password);
    };
    files.push(new CredentialsFile({ path, clock, log: telemetry.log, onChange }));
  };
  watch(auth.username_file, (value) => {
    if (value.includes(':')) throw new Error(COLON_FAULT);
    username = value;
  });
  watch(auth.password_file, (value) => void (password = value));
  return {
    async start() {
      for (const file of files) await file.start();
    },
    requestHeaders: () => [['authorization', header]],
    requiresTls: true,
    shutdown() {
      for (const file of files) file.stop();
    },
  };
}
