/**
 * TLS settings as written in a configuration, turned into the options of node:tls. Files are read here and nowhere else; a file that
 * cannot be read names the key it came from. With `reload_interval` a server is handed them again, and a client asks again when it connects.
 */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { ConfigError } from '#src/core/errors.ts';
import type { TlsClientConfig, TlsServerConfig } from './config.ts';

// Go's names of the suites it holds secure, in OpenSSL's spelling. Those of TLS 1.3 are the same in both.
const SUITES: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
};
const CURVES: Readonly<Record<string, string>> = { X25519: 'X25519', P256: 'P-256', P384: 'P-384', P521: 'P-521', X25519MLKEM768: 'X25519MLKEM768' };

function read(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError([{ path: ['tls', key], message: `failed to load TLS config: cannot read ${path}` }], { cause });
  }
}

function common(tls: TlsClientConfig | TlsServerConfig): SecureContextOptions {
  const unknown = tls.cipher_suites.find((name) => !(name in SUITES));
  if (unknown !== undefined) throw new ConfigError([{ path: ['tls', 'cipher_suites'], message: `invalid TLS cipher suite: "${unknown}"` }]);
  const options: SecureContextOptions = { minVersion: `TLSv${(tls.min_version || '1.2') as '1.2'}` };
  if (tls.max_version) options.maxVersion = `TLSv${tls.max_version as '1.3'}`;
  if (tls.cipher_suites.length > 0) options.ciphers = tls.cipher_suites.map((name) => SUITES[name]).join(':');
  if (tls.curve_preferences.length > 0) options.ecdhCurve = tls.curve_preferences.map((name) => CURVES[name]).join(':');
  const cert = tls.cert_pem || (tls.cert_file && read(tls.cert_file, 'cert_file'));
  const key = tls.key_pem || (tls.key_file && read(tls.key_file, 'key_file'));
  if (cert) options.cert = cert;
  if (key) options.key = key;
  return options;
}
function trusted(tls: TlsClientConfig | TlsServerConfig): string[] | undefined {
  const own = tls.ca_pem || (tls.ca_file && read(tls.ca_file, 'ca_file'));
  if (!own) return undefined;
  return tls.include_system_ca_certs_pool ? [own, ...rootCertificates] : [own];
}

export interface TlsClientOptions extends SecureContextOptions {
  rejectUnauthorized: boolean;
  servername?: string;
}
/** Null where `insecure` asks for no TLS. As in the Collector, a CA given beside `insecure` means TLS after all. */
export function clientTlsOptions(tls: TlsClientConfig): TlsClientOptions | null {
  if (tls.insecure && !tls.ca_file && !tls.ca_pem) return null;
  const options: TlsClientOptions = { ...common(tls), rejectUnauthorized: !tls.insecure_skip_verify };
  const ca = trusted(tls);
  if (ca) options.ca = ca;
  if (tls.server_name_override) options.servername = tls.server_name_override;
  return options;
}

export interface TlsServerOptions extends SecureContextOptions {
  requestCert: boolean;
  rejectUnauthorized: boolean;
}
export function serverTlsOptions(tls: TlsServerConfig): TlsServerOptions {
  const mutual = Boolean(tls.client_ca_file);
  const options: TlsServerOptions = { ...common(tls), requestCert: mutual, rejectUnauthorized: mutual };
  const ca = tls.client_ca_file ? [read(tls.client_ca_file, 'client_ca_file')] : trusted(tls);
  if (ca) options.ca = ca;
  return options;
}

interface Reloadable {
  setSecureContext(options: SecureContextOptions): void;
}
/** Reads the files again every `reload_interval` and hands them to the server; returns what stops it. A file that is broken just now leaves the old one in place. */
export function reloadServerTls(server: Reloadable, tls: TlsServerConfig, failed: (error: Error) => void): () => void {
  const periodMs = tls.reload_interval > 0 ? tls.reload_interval : tls.client_ca_file_reload ? 10_000 : 0;
  if (periodMs === 0) return () => {};
  const timer = setInterval(() => {
    try {
      server.setSecureContext(serverTlsOptions(tls));
    } catch (error) {
      failed(error as Error);
    }
  }, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}
