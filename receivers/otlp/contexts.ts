/**
 * The contexts of batches: who sent them, and with which headers. A sender's requests are alike, so that they share one context, and headers are looked at
 * only by who asks for them.
 */
import type { AuthAttributes } from '#src/core/auth.ts';
import { type BatchContext, EMPTY_CONTEXT } from '#src/core/batch.ts';
import type { CallInfo } from '#src/net/grpc/server.ts';
import type { HttpRequest } from '#src/net/http_server.ts';

type Metadata = NonNullable<BatchContext['metadata']>;

/** Of gRPC calls: by their headers. */
export class GrpcContexts {
  readonly #includeMetadata: boolean;
  constructor(includeMetadata: boolean) {
    this.#includeMetadata = includeMetadata;
  }
  of(call: CallInfo, clientAddress: string, auth: AuthAttributes | undefined): BatchContext {
    const known = call.memo as BatchContext | null;
    if (known !== null && known.authAttributes === auth) return known;
    let made: Metadata | undefined;
    const context: BatchContext = {
      ...(clientAddress !== '' && { clientAddress }),
      get grpcMetadata() {
        made ??= call.metadata();
        return made;
      },
      ...(this.#includeMetadata && { metadata: withHost(call.metadata()) }),
      ...(auth && { authAttributes: auth }),
    };
    call.memo = context;
    return context;
  }
}
/** A client's metadata has the name it called us by under "host", over both transports. */
function withHost(metadata: Metadata): Metadata {
  const authority = metadata.get(':authority');
  return authority === undefined || metadata.has('host') ? metadata : new Map([...metadata, ['host', authority]]);
}

/** Of HTTP requests: the one of the last request where the client is the same, unless its headers are asked for. */
export class HttpContexts {
  readonly #includeMetadata: boolean;
  #last: BatchContext = EMPTY_CONTEXT;
  constructor(includeMetadata: boolean) {
    this.#includeMetadata = includeMetadata;
  }
  of(request: HttpRequest): BatchContext {
    const { peerAddress: clientAddress, authAttributes: auth } = request;
    if (this.#includeMetadata) return { clientAddress, metadata: request.metadata(), ...(auth && { authAttributes: auth }) };
    if (this.#last.clientAddress !== clientAddress || this.#last.authAttributes !== auth)
      this.#last = auth ? { clientAddress, authAttributes: auth } : clientAddress === '' ? EMPTY_CONTEXT : { clientAddress };
    return this.#last;
  }
}
