/** A job's settings with what `global` says filled in, and what of it a request needs: path, headers, credentials, TLS. */
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { basicCredentials } from '#src/core/auth.ts';
import { compileRule, type Labels, type NameScheme, type RelabelStep } from '#src/helper/relabel.ts';
import type { LabelLimits } from '#src/helper/scrape/series_labels.ts';
import { type GlobalConfig, type HttpConfig, type ScrapeConfig, type ScrapeProtocol, schemeOf, type TlsConfig } from './config.ts';

export interface Job {
  readonly config: ScrapeConfig;
  readonly name: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly scheme: NameScheme;
  readonly accept: string;
  readonly bodyLimit: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimits: LabelLimits;
  readonly keepDroppedTargets: number;
  readonly nativeHistograms: boolean;
  readonly classicToo: boolean;
  readonly customBuckets: boolean;
  readonly extraMetrics: boolean;
  readonly externalLabels: Labels;
  readonly targetRules: readonly RelabelStep[];
  readonly sampleRules: readonly RelabelStep[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = ['OpenMetricsText1.0.0', 'OpenMetricsText0.0.1', 'PrometheusText1.0.0', 'PrometheusText0.0.4'];
const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
};

export function resolveJob(config: ScrapeConfig, global: GlobalConfig): Job {
  const intervalMs = config.scrape_interval || global.scrape_interval;
  const scheme = schemeOf(config, global);
  const nativeHistograms = config.scrape_native_histograms ?? global.scrape_native_histograms ?? false;
  const protocols =
    config.scrape_protocols ?? global.scrape_protocols ?? (nativeHistograms ? (['PrometheusProto', ...DEFAULT_PROTOCOLS] as const) : DEFAULT_PROTOCOLS);
  const ownScheme = config.metric_name_validation_scheme !== undefined;
  const escaping =
    config.metric_name_escaping_scheme ?? (ownScheme ? undefined : global.metric_name_escaping_scheme) ?? (scheme === 'legacy' ? 'underscores' : 'allow-utf-8');
  const either = (
    key: 'body_size_limit' | 'sample_limit' | 'target_limit' | 'label_limit' | 'label_name_length_limit' | 'label_value_length_limit' | 'keep_dropped_targets',
  ): number => config[key] || global[key] || 0;
  return {
    config,
    name: config.job_name,
    intervalMs,
    timeoutMs: config.scrape_timeout || Math.min(global.scrape_timeout || DEFAULT_TIMEOUT_MS, intervalMs),
    scheme,
    accept: acceptHeader(protocols, escaping),
    bodyLimit: either('body_size_limit'),
    sampleLimit: either('sample_limit'),
    targetLimit: either('target_limit'),
    labelLimits: { labels: either('label_limit'), nameLength: either('label_name_length_limit'), valueLength: either('label_value_length_limit') },
    keepDroppedTargets: either('keep_dropped_targets'),
    nativeHistograms,
    classicToo: config.always_scrape_classic_histograms ?? global.always_scrape_classic_histograms ?? false,
    customBuckets: config.convert_classic_histograms_to_nhcb ?? global.convert_classic_histograms_to_nhcb ?? false,
    extraMetrics: config.extra_scrape_metrics ?? global.extra_scrape_metrics ?? false,
    externalLabels: new Map(Object.entries(global.external_labels)),
    targetRules: config.relabel_configs.map((rule) => compileRule(rule, scheme)),
    sampleRules: config.metric_relabel_configs.map((rule) => compileRule(rule, scheme)),
  };
}

/** What is wanted most comes first and has the highest weight. */
function acceptHeader(protocols: readonly ScrapeProtocol[], escaping: string): string {
  let weight = Object.keys(MEDIA_TYPES).length + 1;
  const parts = protocols.map((name) => {
    const escaped = name === 'PrometheusText1.0.0' || name === 'OpenMetricsText1.0.0' ? `;escaping=${escaping}` : '';
    return `${MEDIA_TYPES[name]}${escaped};q=0.${weight--}`;
  });
  return [...parts, `*/*;q=0.${weight}`].join(',');
}

/** The header lines of a request that come from the configuration; credentials in files are read each time. Line ends in values cannot get through. */
export async function configuredHeaders(config: HttpConfig): Promise<string> {
  const lines: string[] = [];
  const add = (name: string, value: string): void => void lines.push(`${name}: ${value.replace(/[\r\n]/g, '')}\r\n`);
  const credentials = await authorization(config);
  if (credentials !== '') add('Authorization', credentials);
  for (const [name, { values, secrets, files }] of Object.entries(config.http_headers)) {
    for (const value of [...values, ...secrets]) add(name, value);
    for (const file of files) add(name, (await readFile(file, 'utf8')).trim());
  }
  return lines.join('');
}

async function authorization(config: HttpConfig): Promise<string> {
  const given = async (value: string | undefined, file: string | undefined): Promise<string> =>
    file !== undefined ? (await readFile(file, 'utf8')).trim() : (value ?? '');
  if (config.basic_auth !== undefined) {
    const { username, username_file, password, password_file } = config.basic_auth;
    return basicCredentials(await given(username, username_file), await given(password, password_file));
  }
  if (config.authorization !== undefined) {
    const { type, credentials, credentials_file } = config.authorization;
    const token = await given(credentials, credentials_file);
    return token === '' ? '' : `${type} ${token}`;
  }
  const token = await given(config.bearer_token, config.bearer_token_file);
  return token === '' ? '' : `Bearer ${token}`;
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' };

/** Options of a TLS connection to the host. Files are read when a target is made. */
export async function tlsOptions(config: TlsConfig, host: string): Promise<ConnectionOptions> {
  const given = async (value: string | undefined, file: string | undefined): Promise<string | undefined> =>
    file !== undefined ? await readFile(file, 'utf8') : value;
  const ca = await given(config.ca, config.ca_file);
  const cert = await given(config.cert, config.cert_file);
  const key = await given(config.key, config.key_file);
  const serverName = config.server_name ?? (net.isIP(host) ? '' : host);
  return {
    rejectUnauthorized: !config.insecure_skip_verify,
    minVersion: VERSIONS[config.min_version ?? 'TLS12']!,
    ...(serverName !== '' ? { servername: serverName } : {}),
    ...(ca !== undefined ? { ca } : {}),
    ...(cert !== undefined ? { cert } : {}),
    ...(key !== undefined ? { key } : {}),
    ...(config.max_version !== undefined ? { maxVersion: VERSIONS[config.max_version]! } : {}),
  };
}
