import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema, parsePrometheusDuration } from './config.ts';
import { resolveJob } from './job.ts';
import { resourceAttributes } from './resource.ts';
import { targetsOf } from './targets.ts';

const parse = (job: object, rest: object = {}) => configSchema.safeParse({ config: { scrape_configs: [{ job_name: 'j', ...job }], ...rest } });
const jobOf = (job: object, rest: object = {}) => {
  const parsed = parse(job, rest);
  assert.ok(parsed.success, parsed.error?.message);
  const { config } = parsed.data;
  return resolveJob(config.scrape_configs[0]!, config.global);
};

test('durations are Prometheus durations', () => {
  const check = (text: string, want: number | undefined) => assert.equal(parsePrometheusDuration(text), want, text);
  check('1m30s', 90_000);
  check('500ms', 500);
  check('1d', 86_400_000);
  check('0', 0);
  check('1.5s', undefined);
  check('30s1m', undefined);
  check('', undefined);
});

test('what is wrong or not built is refused with its name', () => {
  const check = (job: object, rest: object, message: RegExp) => {
    const parsed = parse(job, rest);
    assert.ok(!parsed.success);
    assert.match(JSON.stringify(parsed.error.issues), message);
  };
  check({ kubernetes_sd_configs: [{ role: 'pod' }] }, {}, /kubernetes_sd_configs is not supported yet/);
  check({ oauth2: {} }, {}, /oauth2 is not supported yet/);
  check({ proxy_url: 'http://x' }, {}, /proxy_url is not supported yet/);
  check({ basic_auth: { username: 'a' }, bearer_token: 'x' }, {}, /at most one of/);
  check({ bearer_token_file: '/no/such' }, {}, /error checking authorization credentials file.*no such/);
  check({ tls_config: { cert_file: '/no/such', key_file: '/no/such' } }, {}, /error checking client cert file/);
  check({ no_such: 1 }, {}, /no_such/);
  check({ scrape_interval: '5s', scrape_timeout: '6s' }, {}, /scrape timeout greater than scrape interval/);
  check({ static_configs: [{ targets: ['http://a'] }] }, {}, /not a valid hostname/);
  check({}, { rule_files: ['x'] }, /unsupported features: rule_files/);
  check({}, { scrape_configs: [] }, /no Prometheus scrape_configs set/);
  check({}, { scrape_configs: [{ job_name: 'a' }, { job_name: 'a' }] }, /multiple scrape configs/);
});

test('a job takes from global what it does not say itself', () => {
  const job = jobOf(
    { sample_limit: 5 },
    { global: { scrape_interval: '20s', scrape_timeout: '15s', sample_limit: 9, label_limit: 7, external_labels: { a: 'b' } } },
  );
  assert.deepEqual([job.intervalMs, job.timeoutMs, job.sampleLimit, job.labelLimits.labels], [20_000, 15_000, 5, 7]);
  assert.deepEqual([...job.externalLabels], [['a', 'b']]);
  assert.equal(jobOf({ scrape_interval: '5s' }).timeoutMs, 5000);
  assert.match(job.accept, /^application\/openmetrics-text;version=1\.0\.0;escaping=allow-utf-8;q=0\.6,/);
  assert.match(jobOf({ metric_name_validation_scheme: 'legacy' }).accept, /escaping=underscores/);
});

test('targets get labels, parameters and URL, and one address twice is one target', () => {
  const job = jobOf({
    params: { module: ['http', 'tcp'] },
    relabel_configs: [
      { source_labels: ['__address__'], regex: '(drop).*', action: 'drop' },
      { target_label: '__param_extra', replacement: 'a b' },
    ],
  });
  const { targets, failures, dropped } = targetsOf(job, [{ source: '0', targets: ['h:1', 'h:1', 'drop:2', ''], labels: { zone: 'z', __meta_x: 'y' } }]);
  const [target] = [...targets.values()];
  assert.equal(targets.size, 1);
  assert.equal(target!.url, 'http://h:1/metrics?extra=a+b&module=http&module=tcp');
  assert.deepEqual(Object.fromEntries(target!.labels), { instance: 'h:1', job: 'j', zone: 'z' });
  assert.deepEqual([failures.length, dropped.length], [1, 1]);
});

test('an instance of this machine gives no server.address', () => {
  const address = (instance: string) => new Map(resourceAttributes('j', instance, new Map())).get('server.address');
  assert.equal(address('10.0.0.1:80'), '10.0.0.1');
  assert.equal(address('[2001:db8::1]:9100'), '2001:db8::1');
  for (const local of ['127.0.0.1:80', 'localhost:1', '[::1]:80', '0.0.0.0:1', '[::]:1']) assert.equal(address(local), undefined, local);
});
