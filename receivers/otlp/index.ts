import { type PackedCoding, type PackedUse, type Signal, SIGNALS } from '#src/core/batch.ts';
import { defineReceiver } from '#src/core/component.ts';
import { Admission } from '#src/net/admission.ts';
import { GrpcServer, type UnaryMethod } from '#src/net/grpc/server.ts';
import { HttpServer } from '#src/net/http_server.ts';
import { limitHits } from '#src/net/limit_hits.ts';
import { EXPORT_PATHS } from '#src/net/grpc/otlp_service.ts';
import { configSchema } from './config.ts';
import { GrpcContexts, HttpContexts } from './contexts.ts';
import { OtlpHttp } from './http.ts';
import { Intake } from './intake.ts';

/** How long calls may end when the program stops. */
const SHUTDOWN_GRACE_MS = 5000;

/** OTLP over gRPC and HTTP. A request is answered when the pipeline has taken it, so what goes wrong there reaches the sender. */
export default defineReceiver({
  type: 'otlp',
  stability: { traces: 'stable', metrics: 'stable', logs: 'stable' },
  configSchema,
  create({ id, config, next, telemetry, clock, host }) {
    const { grpc, http } = config.protocols;
    const signals = SIGNALS.filter((signal) => next[signal] !== undefined);
    const intake = (signal: Signal, transport: 'grpc' | 'http'): Intake => new Intake(signal, next[signal]!, telemetry, id, transport);

    const methods = new Map<string, UnaryMethod>();
    const grpcIntakes = new Map<string, Intake>();
    for (const signal of grpc ? signals : []) {
      const target = intake(signal, 'grpc');
      const contexts = new GrpcContexts(grpc!.include_metadata);
      grpcIntakes.set(EXPORT_PATHS[signal], target);
      methods.set(EXPORT_PATHS[signal], (message, call, peerAddress, auth, packed) => target.take(message, contexts.of(call, peerAddress, auth), packed));
    }
    const paths = new Map<string, Intake>();
    for (const signal of http ? signals : []) paths.set(http![`${signal}_url_path`], intake(signal, 'http'));

    const admission = new Admission();
    let grpcServer: GrpcServer | null = null;
    let httpServer: HttpServer | null = null;
    const stop = async (): Promise<void> => {
      await Promise.all([httpServer?.close(SHUTDOWN_GRACE_MS), grpcServer?.close(SHUTDOWN_GRACE_MS)]);
    };
    return {
      async start() {
        try {
          if (grpc) {
            const packedUse = (path: string, coding: PackedCoding): PackedUse => grpcIntakes.get(path)?.packedUse(coding) ?? 'none';
            grpcServer = new GrpcServer({
              settings: grpc,
              methods,
              packedUse,
              refusal: (path) => grpcIntakes.get(path)?.refusal() ?? null,
              refused: (path) => grpcIntakes.get(path)?.countRefused(),
              admission,
              log: telemetry.log,
              clock,
              telemetry,
              attributes: { receiver: id },
              host,
            });
            await grpcServer.listen();
          }
          if (http) {
            const otlp = new OtlpHttp(paths, new HttpContexts(http.include_metadata), admission);
            const hits = telemetry.counter('http_server_limit_hits', '{hit}', 'Number of times a client met a limit of the HTTP server, by limit.');
            httpServer = new HttpServer({
              settings: http,
              handler: (request) => otlp.take(request),
              errorReply: (request, status, message) => otlp.errorReply(request, status, message),
              refusal: (request) => otlp.refusal(request),
              refusalReply: (request, refusal) => otlp.refusalReply(request, refusal),
              http2: { admission, clock },
              limitHit: limitHits(hits, { receiver: id }),
              log: telemetry.log,
              host,
            });
            await httpServer.listen();
          }
        } catch (error) {
          await stop();
          throw error;
        }
      },
      shutdown: stop,
    };
  },
});
