/**
 * The configuration of the Prometheus receiver: below `config` a Prometheus configuration, as far as it is about scraping. Keys, defaults and checks
 * are Prometheus's; what is not built is refused by name.
 */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { duration, secret } from '#src/config/schema.ts';
import { compileRule, isLabelName, type NameScheme } from '#src/helper/relabel.ts';

const UNITS_MS: Readonly<Record<string, number>> = { y: 31_536_000_000, w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a Prometheus duration ("1m30s", "500ms", "1d"), or undefined. */
export function parsePrometheusDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?$/.test(text) || text === '') return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) ms += Number(count) * UNITS_MS[unit!]!;
  return ms;
}

function prometheusDuration() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const ms = parsePrometheusDuration(String(value));
    if (ms === undefined) {
      context.addIssue({ code: 'custom', message: `not a valid duration string: "${value}"; write whole numbers with units, for example 30s, 1m30s or 500ms` });
      return z.NEVER;
    }
    return ms;
  });
}

/** Bytes with a unit of 1024: "10MB", "512KiB". */
function byteSize() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const match = /^(\d+(?:\.\d+)?)(?:([KMGTPE])i?)?B?$/.exec(String(value).trim());
    if (match === null) {
      context.addIssue({ code: 'custom', message: `"${value}" is not a size; write a number with a unit, for example 10MB` });
      return z.NEVER;
    }
    return Math.floor(Number(match[1]) * 1024 ** (match[2] === undefined ? 0 : 1 + 'KMGTPE'.indexOf(match[2])));
  });
}

function unsupported(what: string) {
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined, { message: `${what} is not supported yet` });
}
/** Of Prometheus, and refused by the receiver of the Collector as well. */
function foreign(what: string) {
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined || (Array.isArray(value) && value.length === 0), { message: `unsupported features: ${what}` });
}

const text = () => z.union([z.string(), z.number(), z.boolean()]).transform(String);
const labelMap = () => z.record(z.string(), text());
const count = () => z.int().nonnegative().optional();

export const SCRAPE_PROTOCOLS = ['PrometheusProto', 'OpenMetricsText1.0.0', 'OpenMetricsText0.0.1', 'PrometheusText1.0.0', 'PrometheusText0.0.4'] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];
const protocol = (key: string) =>
  z.string().refine((value): value is ScrapeProtocol => SCRAPE_PROTOCOLS.includes(value as ScrapeProtocol), {
    error: (issue) => `${key}: unknown scrape protocol ${issue.input}, supported: ${SCRAPE_PROTOCOLS.toSorted().join(', ')}`,
  });
const SCHEMES = ['utf8', 'legacy'] as const;
const validationScheme = () =>
  z.string().refine((value): value is NameScheme => SCHEMES.includes(value as NameScheme), {
    error: (issue) => `unrecognized validation scheme: "${issue.input}"; use utf8 or legacy`,
  });
export const ESCAPINGS = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
const escapingScheme = () =>
  z.string().refine((value) => (ESCAPINGS as readonly string[]).includes(value), {
    error: (issue) => `unknown name escaping method; must be one of ${ESCAPINGS.join(', ')}, got "${issue.input}"`,
  });

const relabelRule = z.strictObject({
  source_labels: z.array(text()).optional(),
  separator: text().optional(),
  regex: text().optional(),
  modulus: z.int().nonnegative().optional(),
  target_label: text().optional(),
  replacement: text().optional(),
  action: z.string().optional(),
});

const tlsConfig = z.strictObject({
  ca: z.string().optional(),
  cert: z.string().optional(),
  key: secret().optional(),
  ca_file: z.string().optional(),
  cert_file: z.string().optional(),
  key_file: z.string().optional(),
  server_name: z.string().optional(),
  insecure_skip_verify: z.boolean().default(false),
  min_version: z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).optional(),
  max_version: z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']).optional(),
});
export type TlsConfig = z.output<typeof tlsConfig>;

/** How a target, or a discovery over HTTP, is asked. */
const httpShape = {
  basic_auth: z
    .strictObject({ username: text().optional(), username_file: z.string().optional(), password: secret().optional(), password_file: z.string().optional() })
    .optional(),
  authorization: z.strictObject({ type: z.string().default('Bearer'), credentials: secret().optional(), credentials_file: z.string().optional() }).optional(),
  bearer_token: secret().optional(),
  bearer_token_file: z.string().optional(),
  oauth2: unsupported('oauth2'),
  tls_config: tlsConfig.prefault({}),
  follow_redirects: z.boolean().default(true),
  enable_http2: z.boolean().default(true).describe('Accepted; scrapes always speak HTTP/1.1, which every target does.'),
  proxy_url: unsupported('proxy_url'),
  no_proxy: unsupported('no_proxy'),
  proxy_from_environment: unsupported('proxy_from_environment'),
  proxy_connect_header: unsupported('proxy_connect_header'),
  http_headers: z
    .record(z.string(), z.strictObject({ values: z.array(text()).default([]), secrets: z.array(secret()).default([]), files: z.array(z.string()).default([]) }))
    .default({}),
};
const httpSchema = z.object(httpShape);
export type HttpConfig = z.output<typeof httpSchema>;

function checkHttp(config: HttpConfig, add: (path: string, message: string) => void): void {
  const { basic_auth, authorization, bearer_token, bearer_token_file } = config;
  const bearer = bearer_token !== undefined || bearer_token_file !== undefined;
  if (bearer_token !== undefined && bearer_token_file !== undefined) add('bearer_token', 'at most one of bearer_token & bearer_token_file must be configured');
  if (bearer && (basic_auth || authorization)) add('bearer_token', 'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured');
  if (basic_auth !== undefined && authorization !== undefined) add('authorization', 'at most one of basic_auth, oauth2 & authorization must be configured');
  if (basic_auth?.username !== undefined && basic_auth.username_file !== undefined)
    add('basic_auth', 'at most one of basic_auth username & username_file must be configured');
  if (basic_auth?.password !== undefined && basic_auth.password_file !== undefined)
    add('basic_auth', 'at most one of basic_auth password & password_file must be configured');
  if (authorization?.credentials !== undefined && authorization.credentials_file !== undefined)
    add('authorization', 'at most one of authorization credentials & credentials_file must be configured');
  if (authorization?.type.trim().toLowerCase() === 'basic') add('authorization', 'authorization type cannot be set to "basic", use "basic_auth" instead');
  if (
    (config.tls_config.cert_file === undefined) !== (config.tls_config.key_file === undefined) &&
    config.tls_config.cert === undefined &&
    config.tls_config.key === undefined
  ) {
    add('tls_config', 'cert_file and key_file must be given together');
  }
}

/** Files that must be there from the start, as in the Collector; the others are read when they are wanted, and may come later. */
function checkFiles(config: HttpConfig, add: (path: string, message: string) => void): void {
  const { authorization, bearer_token_file } = config,
    { cert_file, key_file } = config.tls_config;
  const wanted = [
    ['authorization', 'authorization credentials file', authorization?.credentials_file],
    ['bearer_token_file', 'authorization credentials file', bearer_token_file],
    ['tls_config', 'client cert file', cert_file],
    ['tls_config', 'client key file', key_file],
  ] as const;
  for (const [path, what, file] of wanted)
    if (file !== undefined && file !== '' && !existsSync(file)) add(path, `error checking ${what} "${file}": there is no such file`);
}

const targetGroup = z.strictObject({ targets: z.array(text()).default([]), labels: labelMap().default({}) });

const fileDiscovery = z.strictObject({
  files: z
    .array(z.string().regex(/^[^*]*(?:\*[^*/]*)?\.(?:json|yml|yaml)$/i, 'a path must end in .json, .yml or .yaml, with at most one * in the last part'))
    .min(1),
  refresh_interval: prometheusDuration().prefault('5m'),
});
const httpDiscovery = z
  .strictObject({ ...httpShape, url: z.url({ protocol: /^https?$/ }), refresh_interval: prometheusDuration().prefault('1m') })
  .check((context) => checkHttp(context.value, (path, message) => context.issues.push({ code: 'custom', input: context.value, path: [path], message })));

/** Kinds of discovery that Prometheus has and this receiver has not. */
const OTHER_DISCOVERIES = [
  'azure',
  'consul',
  'digitalocean',
  'dns',
  'docker',
  'dockerswarm',
  'ec2',
  'ecs',
  'elasticache',
  'msk',
  'rds',
  'aws',
  'eureka',
  'gce',
  'hetzner',
  'ionos',
  'kubernetes',
  'kuma',
  'lightsail',
  'linode',
  'marathon',
  'nerve',
  'nomad',
  'openstack',
  'outscale',
  'ovhcloud',
  'puppetdb',
  'scaleway',
  'serverset',
  'stackit',
  'triton',
  'uyuni',
  'vultr',
];
const otherDiscoveries = Object.fromEntries(OTHER_DISCOVERIES.map((name) => [`${name}_sd_configs`, unsupported(`${name}_sd_configs`)]));

/** What `global` sets for all jobs and a job may set for itself. */
const sharedShape = {
  scrape_interval: prometheusDuration().optional(),
  scrape_timeout: prometheusDuration().optional(),
  scrape_protocols: z.array(protocol('scrape_protocols')).min(1).optional(),
  body_size_limit: byteSize().optional(),
  sample_limit: count(),
  target_limit: count(),
  label_limit: count(),
  label_name_length_limit: count(),
  label_value_length_limit: count(),
  keep_dropped_targets: count(),
  metric_name_validation_scheme: validationScheme().optional(),
  metric_name_escaping_scheme: escapingScheme().optional(),
  scrape_native_histograms: z.boolean().optional(),
  convert_classic_histograms_to_nhcb: z.boolean().optional(),
  always_scrape_classic_histograms: z.boolean().optional(),
  extra_scrape_metrics: z.boolean().optional(),
  scrape_failure_log_file: unsupported('scrape_failure_log_file'),
};

const scrapeConfig = z
  .strictObject({
    ...sharedShape,
    ...httpShape,
    ...otherDiscoveries,
    job_name: text().refine((name) => name !== '', 'job_name is empty'),
    honor_labels: z.boolean().default(false),
    honor_timestamps: z.boolean().default(true),
    track_timestamps_staleness: z.boolean().default(false),
    params: z.record(z.string(), z.array(text())).default({}),
    fallback_scrape_protocol: protocol('fallback_scrape_protocol').default('PrometheusText0.0.4'),
    metrics_path: text().default('/metrics'),
    scheme: z.enum(['http', 'https']).default('http'),
    enable_compression: z.boolean().default(true),
    native_histogram_bucket_limit: z.int().nonnegative().default(0),
    native_histogram_min_bucket_factor: z.number().nonnegative().default(0),
    static_configs: z.array(targetGroup).default([]),
    file_sd_configs: z.array(fileDiscovery).default([]),
    http_sd_configs: z.array(httpDiscovery).default([]),
    relabel_configs: z.array(relabelRule).default([]),
    metric_relabel_configs: z.array(relabelRule).default([]),
  })
  .check((context) => {
    const { value } = context;
    const add = (path: (string | number)[], message: string): void => void context.issues.push({ code: 'custom', input: value, path, message });
    checkHttp(value, (path, message) => add([path], message));
    checkFiles(value, (path, message) => add([path], message));
    if (value.relabel_configs.length > 0) return;
    value.static_configs.forEach((group, i) => {
      group.targets.forEach((target, k) => {
        if (target.includes('/')) add(['static_configs', i, 'targets', k], `"${target}" is not a valid hostname; write host:port`);
      });
    });
  });
export type ScrapeConfig = z.output<typeof scrapeConfig>;

const globalConfig = z
  .strictObject({
    ...sharedShape,
    scrape_interval: prometheusDuration().prefault('1m'),
    scrape_timeout: prometheusDuration().optional(),
    metric_name_validation_scheme: validationScheme().default('utf8'),
    external_labels: labelMap().default({}),
    evaluation_interval: prometheusDuration().optional().describe('Accepted: there are no rules to evaluate here.'),
    rule_query_offset: prometheusDuration().optional().describe('Accepted: there are no rules to evaluate here.'),
    query_log_file: unsupported('query_log_file'),
  })
  .check((context) => {
    for (const name of Object.keys(context.value.external_labels)) {
      if (!isLabelName(name, 'utf8'))
        context.issues.push({ code: 'custom', input: context.value, path: ['external_labels'], message: `"${name}" is not a valid label name` });
    }
  });
export type GlobalConfig = z.output<typeof globalConfig>;

const prometheusConfig = z
  .strictObject({
    global: globalConfig.prefault({}),
    scrape_configs: z.array(scrapeConfig).default([]),
    scrape_config_files: unsupported('scrape_config_files'),
    runtime: unsupported('runtime'),
    rule_files: foreign('rule_files'),
    remote_write: foreign('remote_write'),
    remote_read: foreign('remote_read'),
    alerting: foreign('alerting'),
    storage: foreign('storage'),
    tracing: foreign('tracing'),
    otlp: foreign('otlp'),
  })
  .check((context) => {
    const { value } = context;
    const add = (path: (string | number)[], message: string): void => void context.issues.push({ code: 'custom', input: value, path, message });
    if (value.scrape_configs.length === 0) add(['scrape_configs'], 'no Prometheus scrape_configs set');
    const jobs = new Set<string>();
    value.scrape_configs.forEach((job, i) => {
      const at = (...rest: (string | number)[]): (string | number)[] => ['scrape_configs', i, ...rest];
      if (jobs.has(job.job_name)) add(at('job_name'), `found multiple scrape configs with job name "${job.job_name}"`);
      jobs.add(job.job_name);
      const interval = job.scrape_interval || value.global.scrape_interval;
      if (interval <= 0) add(at('scrape_interval'), 'scrape interval cannot be 0');
      if ((job.scrape_timeout ?? 0) > interval)
        add(at('scrape_timeout'), `scrape timeout greater than scrape interval for scrape config with job name "${job.job_name}"`);
      const scheme = schemeOf(job, value.global);
      if (scheme === 'legacy' && job.metric_name_escaping_scheme === 'allow-utf-8')
        add(at('metric_name_escaping_scheme'), 'utf8 metric names requested but validation scheme is not set to UTF8');
      for (const key of ['relabel_configs', 'metric_relabel_configs'] as const) {
        job[key].forEach((rule, k) => {
          try {
            compileRule(rule, scheme);
          } catch (error) {
            add(at(key, k), error instanceof Error ? error.message : String(error));
          }
        });
      }
    });
  });

export const configSchema = z.strictObject({
  config: prometheusConfig.describe('A Prometheus configuration.'),
  trim_metric_suffixes: z.boolean().default(false).describe('Takes unit and _total off the names of metrics.'),
  target_allocator: unsupported('target_allocator'),
  api_server: unsupported('api_server'),
  scrape_on_shutdown: z.boolean().default(false).describe('Scrapes every target once more before the receiver closes.'),
  discovery_reload_on_startup: z.boolean().default(false).describe('Accepted: targets are always looked for at once.'),
  initial_scrape_offset: duration().prefault('0s').describe('Waited before the first scrape of each target, on top of its place in the interval.'),
});
export type Config = z.output<typeof configSchema>;

export function schemeOf(job: ScrapeConfig, global: GlobalConfig): NameScheme {
  return job.metric_name_validation_scheme ?? global.metric_name_validation_scheme;
}
