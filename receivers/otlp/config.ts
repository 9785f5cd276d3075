/** Keys and defaults of the Collector's otlpreceiver. A protocol that is named without a body has its defaults; one that is not named is off. */
import { z } from 'zod';
import { checkListen, grpcServerShape, httpServerShape } from '#src/net/config.ts';

const emptyIsDefault = (value: unknown): unknown => (value === null ? {} : value);
const urlPath = (path: string, signal: string) =>
  z
    .string()
    .default(path)
    .transform((value) => (value.startsWith('/') ? value : `/${value}`))
    .describe(`URL path that takes ${signal}.`);

const grpc = z.strictObject(grpcServerShape('localhost:4317')).check(checkListen);
const http = z
  .strictObject({
    ...httpServerShape('localhost:4318', { write: '0s', readHeader: '0s', idle: '0s' }),
    traces_url_path: urlPath('/v1/traces', 'traces'),
    metrics_url_path: urlPath('/v1/metrics', 'metrics'),
    logs_url_path: urlPath('/v1/logs', 'logs'),
  })
  .check(checkListen);

export const configSchema = z
  .strictObject({
    protocols: z
      .preprocess(
        emptyIsDefault,
        z.strictObject({
          grpc: z.preprocess((value) => emptyIsDefault(value), grpc.optional()).describe('OTLP over gRPC.'),
          http: z.preprocess((value) => emptyIsDefault(value), http.optional()).describe('OTLP over HTTP, protobuf and JSON.'),
        }),
      )
      .prefault({}),
  })
  .check((context) => {
    const { grpc: overGrpc, http: overHttp } = context.value.protocols;
    if (!overGrpc && !overHttp)
      context.issues.push({ code: 'custom', input: context.value, message: 'must specify at least one protocol when using the OTLP receiver' });
  });
