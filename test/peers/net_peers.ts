/**
 * What the tests with network peers need beside the peers themselves: certificates, tools that are built or installed once into a cache folder
 * (~/.cache/penstock-peers, or PENSTOCK_PEERS), and the ways a connection is secured.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CACHE = process.env.PENSTOCK_PEERS ?? join(homedir(), '.cache/penstock-peers');

/** How a connection is secured: not at all, by the server's certificate, or by those of both. */
export const SECURITIES = ['plain', 'tls', 'mtls'] as const;
export type Security = (typeof SECURITIES)[number];

const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });

export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** A CA and what it has signed for a server at localhost and for a client, as files in `folder`. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string): string => join(folder, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...curve, '-days', '2', '-keyout', at('ca.key'), '-out', at('ca.crt'), '-subj', '/CN=test authority');
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...curve, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
    const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names')];
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...signed, '-out', at(`${name}.crt`));
  }
  return { ca: at('ca.crt'), serverCert: at('server.crt'), serverKey: at('server.key'), clientCert: at('client.crt'), clientKey: at('client.key') };
}

/** The `tls` key of a server in our configuration, as YAML in one line with a comma before it; nothing where plain. */
export function serverTlsYaml(security: Security, files: Certificates): string {
  if (security === 'plain') return '';
  const clients = security === 'mtls' ? `, client_ca_file: ${files.ca}` : '';
  return `, tls: {cert_file: ${files.serverCert}, key_file: ${files.serverKey}${clients}}`;
}
export function clientTlsYaml(security: Security, files: Certificates): string {
  if (security === 'plain') return ', tls: {insecure: true}';
  const own = security === 'mtls' ? `, cert_file: ${files.clientCert}, key_file: ${files.clientKey}` : '';
  return `, tls: {ca_file: ${files.ca}${own}}`;
}

/** Makes a folder of the cache once: `make` fills it, and only a whole one gets its name. */
function cached(name: string, make: (folder: string) => void): string {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  make(unfinished);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Another test was faster.
    if (!existsSync(folder)) throw error;
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
function run(folder: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  execFileSync(command, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** h2spec, built by Go of any version from 1.19 on: what it needs is pinned, since h2spec itself says nothing of versions. */
export function h2spec(): string {
  const folder = cached('h2spec-2.2.1', (at) => {
    const modules = ['github.com/summerwind/h2spec v2.2.1+incompatible', 'golang.org/x/net v0.17.0', 'github.com/fatih/color v1.15.0'];
    writeFileSync(join(at, 'go.mod'), `module build\n\ngo 1.19\n\nrequire (\n${[...modules, 'github.com/spf13/cobra v1.7.0'].join('\n')}\n)\n`);
    run(at, 'go', ['build', '-o', 'h2spec', 'github.com/summerwind/h2spec/cmd/h2spec'], { GOFLAGS: '-mod=mod' });
  });
  return join(folder, 'h2spec');
}

/** Python with grpcio and the OpenTelemetry SDK. */
export function python(): string {
  const version = '1.45.2';
  const folder = join(CACHE, `python-otel-${version}`);
  // A virtual environment holds its own path, so it cannot be made elsewhere and moved; the mark says that it is whole.
  if (!existsSync(join(folder, 'whole'))) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    run(folder, 'python3', ['-m', 'venv', folder]);
    run(folder, join(folder, 'bin/pip'), ['install', '-q', `opentelemetry-sdk==${version}`, `opentelemetry-exporter-otlp==${version}`]);
    writeFileSync(join(folder, 'whole'), '');
  }
  return join(folder, 'bin/python');
}

/** The jars of grpc-java and the OpenTelemetry SDK, as a class path. */
export function javaClassPath(): string {
  const pom = fileURLToPath(new URL('net_java/pom.xml', import.meta.url));
  const folder = cached('java-otel-1.63.0', (at) => run(at, 'mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${at}`]));
  return join(folder, '*');
}
