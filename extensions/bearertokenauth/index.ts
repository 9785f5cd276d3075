import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type ClientAuthenticator, type ServerAuthenticator, UnauthenticatedError } from '#src/core/auth.ts';
import { defineExtension, type Lifecycle } from '#src/core/component.ts';
import { CredentialsFile } from '#src/helper/credentials_file.ts';
import { configSchema } from './config.ts';

/** Fixed tokens in a header: servers take requests that carry one of them, clients send the first. */
export default defineExtension({
  type: 'bearertokenauth',
  stability: 'beta',
  configSchema,
  create({ config, telemetry, clock }) {
    const { scheme, tokens, token, filename } = config;
    const header = config.header.toLowerCase();
    // Compared as digests under a key of our own: these have one length, and how long it takes tells nothing of the token.
    const key = randomBytes(32).toString('base64');
    const digest = (text: string): Buffer => hash('sha256', key + text, 'buffer');
    let sent = '',
      taken: readonly Buffer[] = [];
    const use = (list: readonly string[]): void => {
      const values = list.map((each) => (scheme === '' ? each : `${scheme} ${each}`));
      sent = values[0] ?? '';
      taken = values.map(digest);
    };
    const file =
      filename !== '' && tokens.length === 0
        ? new CredentialsFile({ path: filename, clock, log: telemetry.log, onChange: (text) => use(tokensOf(text)) })
        : null;
    if (file === null) use(tokens.length > 0 ? tokens : tokensOf(token));

    const extension: ServerAuthenticator & ClientAuthenticator & Lifecycle = {
      async start() {
        if (filename !== '' && tokens.length > 0) telemetry.log.warn('filename is not read, since tokens are configured.');
        if (filename !== '' && token !== '') telemetry.log.warn('a filename is specified. Configured token(s) is ignored!');
        await file?.start();
      },
      authenticate(headers) {
        const given = headers(header);
        if (given === undefined) throw new UnauthenticatedError(`missing or empty authorization header: ${config.header}`);
        const found = digest(given);
        let known = false;
        for (const each of taken) known = timingSafeEqual(each, found) || known; // All of them, whichever it is.
        if (!known) throw new UnauthenticatedError('provided authorization does not match expected scheme or token');
        return undefined;
      },
      challenge: /^[\w-]+$/.test(scheme) ? scheme : 'Bearer',
      requestHeaders: () => [[header, sent]],
      requiresTls: true,
      shutdown() {
        file?.stop();
      },
    };
    return extension;
  },
});

/** The first word of each line; what follows is comment. */
function tokensOf(text: string): string[] {
  return text.split('\n').flatMap((line) => /\S+/.exec(line)?.[0] ?? []);
}
