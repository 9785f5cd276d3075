/**
 * Which proxy leads to a server, by the rules that Go reads the environment with (golang.org/x/net/http/httpproxy): HTTP_PROXY, HTTPS_PROXY and
 * NO_PROXY, in capitals first, never for this machine; and the tunnel through one, for connections that are not HTTP/1.1. A tunnel by SOCKS is not here.
 */
import { BlockList, connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { basicCredentials } from '#src/core/auth.ts';

const CONNECT_TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 16 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy on the way to host:port, or null. Throws where the environment names one that is no URL. */
export function proxyFor(scheme: 'http' | 'https', host: string, port: number, env: Environment = process.env): URL | null {
  const names = scheme === 'http' ? ['HTTP_PROXY', 'http_proxy'] : ['HTTPS_PROXY', 'https_proxy'];
  const value = firstOf(env, names);
  if (value === '' || isExcluded(host, port, firstOf(env, ['NO_PROXY', 'no_proxy']))) return null;
  for (const text of [value, `http://${value}`]) {
    const url = URL.canParse(text) ? new URL(text) : null;
    // "proxy:3128" is a URL, too: of a scheme "proxy".
    if (url !== null && /^(https?|socks5h?):$/.test(url.protocol)) return url;
  }
  throw new Error(`invalid proxy address "${value}"`);
}
function firstOf(env: Environment, names: readonly string[]): string {
  for (const name of names) if (env[name]) return env[name];
  return '';
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Names, with a dot before them for those below only, addresses and networks, each with a port or without; "*" is all. */
function isExcluded(host: string, port: number, list: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const family = isIP(name) === 6 ? 'ipv6' : 'ipv4';
  if (name === 'localhost' || (isIP(name) > 0 && LOOPBACK.check(name, family))) return true;
  for (const raw of list.split(',')) {
    const entry = raw.trim().toLowerCase();
    if (entry === '') continue;
    if (entry === '*') return true;
    const network = /^(.+)\/(\d+)$/.exec(entry);
    if (network !== null) {
      if (isIP(name) > 0 && inNetwork(name, family, network[1]!, Number(network[2]))) return true;
      continue;
    }
    const parts = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(entry);
    const wanted = parts?.[1] ?? parts?.[2] ?? entry.replace(/^\[|\]$/g, '');
    if (parts !== null && Number(parts[3]) !== port) continue;
    if (isIP(wanted) > 0) {
      if (wanted === name) return true;
      continue;
    }
    const domain = wanted.replace(/^\*(?=\.)/, '');
    if (domain.startsWith('.') ? name.endsWith(domain) : name === domain || name.endsWith(`.${domain}`)) return true;
  }
  return false;
}
function inNetwork(address: string, family: 'ipv4' | 'ipv6', network: string, bits: number): boolean {
  if (isIP(network) !== (family === 'ipv6' ? 6 : 4) || bits > (family === 'ipv6' ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(address, family);
}

/** A connection to `target` (host:port, which the proxy resolves) by way of the proxy at `address`, whose URL has the credentials. */
export function openTunnel(proxy: URL, address: { readonly host: string; readonly port: number }, target: string, userAgent: string): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer of the proxy within ${CONNECT_TIMEOUT_MS / 1000} s`)), CONNECT_TIMEOUT_MS);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      fail(error);
    };
    const closed = (): void => failed(new Error('the proxy closed the connection before it answered'));
    socket.on('error', failed);
    socket.on('close', closed);
    socket.on('connect', () => socket.write(connectRequest(proxy, target, userAgent)));
    const read: Buffer[] = [];
    const take = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) read.push(chunk);
      const bytes = Buffer.concat(read);
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return bytes.length > MAX_ANSWER_BYTES ? failed(new Error('the answer of the proxy is too long')) : undefined;
      const line = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
      if (!/^HTTP\/1\.[01] 200\b/.test(line)) return failed(new Error(`failed to do connect handshake, response: "${line}"`));
      clearTimeout(timer);
      socket.off('readable', take);
      socket.off('error', failed);
      socket.off('close', closed);
      socket.on('error', () => {}); // TLS that goes over it tells of its own.
      // A server may speak at once.
      if (bytes.length > end + 4) socket.unshift(bytes.subarray(end + 4));
      done(socket);
    };
    socket.on('readable', take);
  });
}
function connectRequest(proxy: URL, target: string, userAgent: string): string {
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, `User-Agent: ${userAgent}`];
  if (proxy.username !== '') lines.push(`Proxy-Authorization: ${basicCredentials(decodeURIComponent(proxy.username), decodeURIComponent(proxy.password))}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
