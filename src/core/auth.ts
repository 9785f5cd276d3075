/**
 * How extensions that know credentials serve the servers and clients of other components: what both sides agree on, and how one finds the
 * other. `auth::authenticator` names an extension; that it runs, and can do what is asked, is known when the component starts. What a
 * credential looks like is the extension's matter alone.
 */
import type { BatchContext } from './batch.ts';
import type { Host } from './component.ts';
import { ConfigError, PermanentError } from './errors.ts';

/** What is known of who sent a request; the same object for the same sender where that is cheap, so that contexts can be shared. */
export type AuthAttributes = NonNullable<BatchContext['authAttributes']>;

/** The first value of a header (name in lower case), or undefined. */
export type HeaderSource = (name: string) => string | undefined;

export interface ServerAuthenticator {
  /**
   * Lets a request pass, with attributes of its sender or undefined where there are none. Throws or rejects with UnauthenticatedError, or with
   * RetryableError where it cannot say now. Called for each request, before its body is looked at.
   */
  authenticate(headers: HeaderSource): AuthAttributes | undefined | Promise<AuthAttributes | undefined>;
  /** WWW-Authenticate for people at browsers. */
  readonly challenge: string;
}
export interface ClientAuthenticator {
  /** Headers of a request, names in lower case. Asked for each request, since credentials change. */
  requestHeaders(): readonly (readonly [name: string, value: string])[];
  /** gRPC refuses to send them over a connection without TLS. */
  readonly requiresTls: boolean;
}

/** The sender is not who may send: answered 401 or UNAUTHENTICATED. */
export class UnauthenticatedError extends PermanentError {
  override readonly name = 'UnauthenticatedError';
}

/** The value of an Authorization header (RFC 7617). */
export const basicCredentials = (username: string, password: string): string => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The value of `auth` in configuration. */
export interface AuthSettings {
  readonly authenticator: string;
}
type Extensions = Pick<Host, 'extension'> | undefined;

/** Throws ConfigError that names the extension where it does not run or is none. */
export function serverAuthenticator(auth: AuthSettings, host: Extensions): ServerAuthenticator {
  const found = lookUp(auth, host) as Partial<ServerAuthenticator>;
  if (typeof found.authenticate !== 'function') throw faultOf(auth, 'cannot authenticate requests: it is not a server authenticator');
  return found as ServerAuthenticator;
}
export function clientAuthenticator(auth: AuthSettings, host: Extensions): ClientAuthenticator {
  const found = lookUp(auth, host) as Partial<ClientAuthenticator>;
  if (typeof found.requestHeaders !== 'function') throw faultOf(auth, 'has no credentials to send: it is not a client authenticator');
  return found as ClientAuthenticator;
}
function lookUp(auth: AuthSettings, host: Extensions): object {
  if (host === undefined) throw faultOf(auth, 'cannot be had: this component does not support authentication');
  const found = host.extension(auth.authenticator);
  if (typeof found !== 'object' || found === null) throw faultOf(auth, 'is not running; define it under extensions and name it in service::extensions');
  return found;
}
const faultOf = (auth: AuthSettings, fault: string): ConfigError =>
  new ConfigError([{ path: ['auth', 'authenticator'], message: `"${auth.authenticator}" ${fault}` }]);
