/** The resource attributes of a scrape: service and server from job and instance, Kubernetes objects from the labels of discovery. */
import net from 'node:net';
import type { Labels } from '#src/helper/relabel.ts';

const KUBERNETES: Readonly<Record<string, string>> = {
  __meta_kubernetes_pod_name: 'k8s.pod.name',
  __meta_kubernetes_pod_uid: 'k8s.pod.uid',
  __meta_kubernetes_pod_container_name: 'k8s.container.name',
  __meta_kubernetes_namespace: 'k8s.namespace.name',
  __meta_kubernetes_pod_node_name: 'k8s.node.name',
  __meta_kubernetes_node_name: 'k8s.node.name',
  __meta_kubernetes_endpoint_node_name: 'k8s.node.name',
};
const CONTROLLERS: Readonly<Record<string, string>> = {
  ReplicaSet: 'k8s.replicaset.name',
  DaemonSet: 'k8s.daemonset.name',
  StatefulSet: 'k8s.statefulset.name',
  Job: 'k8s.job.name',
  CronJob: 'k8s.cronjob.name',
};

/** `discovered`: the target's labels before relabelling. */
export function resourceAttributes(job: string, instance: string, discovered: Labels): [string, string][] {
  const { host, port } = splitHostPort(instance);
  const attributes: [string, string][] = [['service.name', job]];
  if (isDiscernible(host)) attributes.push(['server.address', host]);
  attributes.push(['service.instance.id', instance], ['server.port', port], ['url.scheme', discovered.get('__scheme__') ?? '']);
  for (const [label, attribute] of Object.entries(KUBERNETES)) {
    const value = discovered.get(label);
    if (value) attributes.push([attribute, value]);
  }
  const controller = CONTROLLERS[discovered.get('__meta_kubernetes_pod_controller_kind') ?? ''];
  const name = discovered.get('__meta_kubernetes_pod_controller_name');
  if (controller !== undefined && name) attributes.push([controller, name]);
  return attributes;
}

/** As Go's net.SplitHostPort; where there is no port, all of it is the host. */
function splitHostPort(instance: string): { host: string; port: string } {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(instance);
  return match === null ? { host: instance, port: '' } : { host: match[1] ?? match[2] ?? '', port: match[3]! };
}

/** Addresses of this very machine say nothing about where the target is. */
function isDiscernible(host: string): boolean {
  if (net.isIPv4(host)) return !host.startsWith('127.') && host !== '0.0.0.0';
  if (net.isIPv6(host)) return !/^(?:0*:)*0*[01]?$/.test(host) && !/^::ffff:(?:127\.|0\.0\.0\.0$)/i.test(host);
  return host !== 'localhost';
}
