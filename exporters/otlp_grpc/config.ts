/** Keys and defaults of the Collector's otlpexporter. */
import { z } from 'zod';
import { exporterSettings } from '#src/helper/exporter/config.ts';
import { compressedPassThrough, grpcClientShape } from '#src/net/config.ts';

export const configSchema = z
  .strictObject({ ...grpcClientShape('gzip'), compressed_pass_through: compressedPassThrough(), ...exporterSettings() })
  .check((context) => {
    const bare = context.value.endpoint.replace(/^(?:https?:\/\/|dns:\/\/\/?)/, '');
    if (bare === '') context.issues.push({ code: 'custom', input: context.value.endpoint, message: 'requires a non-empty "endpoint"' });
  });
