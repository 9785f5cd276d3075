/**
 * What is built in. The only file that imports component folders, each when a configuration names its type, so that starting costs only
 * what is used. A text is another spelling: of a type, which is listed beside it.
 */
import type { Catalog } from '#src/core/catalog.ts';

export const catalog: Catalog = {
  receiver: {
    file_log: () => import('#receivers/file_log/index.ts'),
    filelog: 'file_log',
    nop: () => import('#receivers/nop/index.ts'),
    prometheus: () => import('#receivers/prometheus/index.ts'),
    otlp: () => import('#receivers/otlp/index.ts'),
  },
  processor: {
    attributes: () => import('#processors/attributes/index.ts'),
    batch: () => import('#processors/batch/index.ts'),
    cumulativetodelta: () => import('#processors/cumulativetodelta/index.ts'),
    deltatocumulative: () => import('#processors/deltatocumulative/index.ts'),
    filter: () => import('#processors/filter/index.ts'),
    groupbyattrs: () => import('#processors/groupbyattrs/index.ts'),
    memory_limiter: () => import('#processors/memory_limiter/index.ts'),
    probabilistic_sampler: () => import('#processors/probabilistic_sampler/index.ts'),
    resource: () => import('#processors/resource/index.ts'),
    transform: () => import('#processors/transform/index.ts'),
  },
  exporter: {
    file: () => import('#exporters/file/index.ts'),
    debug: () => import('#exporters/debug/index.ts'),
    nop: () => import('#exporters/nop/index.ts'),
    otlp_grpc: () => import('#exporters/otlp_grpc/index.ts'),
    otlp: 'otlp_grpc',
    otlp_http: () => import('#exporters/otlp_http/index.ts'),
    otlphttp: 'otlp_http',
    prometheus: () => import('#exporters/prometheus/index.ts'),
    prometheus_remote_write: () => import('#exporters/prometheus_remote_write/index.ts'),
    prometheusremotewrite: 'prometheus_remote_write',
    store: () => import('#exporters/store/index.ts'),
  },
  connector: {
    count: () => import('#connectors/count/index.ts'),
    forward: () => import('#connectors/forward/index.ts'),
  },
  extension: {
    basicauth: () => import('#extensions/basicauth/index.ts'),
    bearertokenauth: () => import('#extensions/bearertokenauth/index.ts'),
    file_storage: () => import('#extensions/file_storage/index.ts'),
    health_check: () => import('#extensions/health_check/index.ts'),
    memory_limiter: () => import('#extensions/memory_limiter/index.ts'),
    store: () => import('#extensions/store/index.ts'),
    store_api: () => import('#extensions/store_api/index.ts'),
    zpages: () => import('#extensions/zpages/index.ts'),
  },
};
