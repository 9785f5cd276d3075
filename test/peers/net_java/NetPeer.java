import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.HandlerRegistry;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerMethodDefinition;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.stub.ServerCalls;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporterBuilder;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;

/**
 * grpc-java with the OpenTelemetry SDK, as a client of our receiver and as a server for our exporter; run as one source file. Arguments and output are
 * those of net_python.py.
 */
public final class NetPeer {
  private static final Path FILES = Path.of(System.getenv().getOrDefault("CERTIFICATES", ""));

  private NetPeer() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("client")) client(args[1], args[2], args[3], Integer.parseInt(args[4]), Integer.parseInt(args[5]));
    else server(args);
  }

  @SuppressWarnings("deprecation")
  private static void client(String port, String security, String compression, int spans, int payload) throws IOException {
    ChannelCredentials credentials = InsecureChannelCredentials.create();
    if (!security.equals("plain")) {
      TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder().trustManager(file("ca.crt"));
      if (security.equals("mtls")) tls.keyManager(file("client.crt"), file("client.key"));
      credentials = tls.build();
    }
    // The exporter's own ways to name certificates lead to OkHttp; grpc-java takes them with its channel.
    OtlpGrpcSpanExporterBuilder exporter =
        OtlpGrpcSpanExporter.builder().setChannel(Grpc.newChannelBuilder("localhost:" + port, credentials).build()).setCompression(compression);
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), "java " + security + " " + compression)))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter.build()).setMaxQueueSize(spans).setMaxExportBatchSize(spans).build())
            .build();
    Tracer tracer = provider.get("peer");
    for (int i = 0; i < spans; i++) tracer.spanBuilder("span " + i).startSpan().setAttribute("payload", "x".repeat(payload)).end();
    boolean taken = provider.forceFlush().join(20, TimeUnit.SECONDS).isSuccess();
    provider.shutdown().join(5, TimeUnit.SECONDS);
    System.exit(taken ? 0 : 1);
  }

  /** Messages as they are on the wire, decompressed. */
  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  private static ServerMethodDefinition<byte[], byte[]> method(String name, String security) {
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(name)
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();
    ServerCallHandler<byte[], byte[]> handler =
        (call, headers) -> {
          String encoding = headers.get(Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER));
          String timeout = headers.get(Metadata.Key.of("grpc-timeout", Metadata.ASCII_STRING_MARSHALLER)) == null ? "none" : "some";
          ServerCalls.UnaryMethod<byte[], byte[]> take =
              (message, answer) -> {
                try {
                  String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(message));
                  System.out.println(String.join(" ", security, encoding == null ? "?" : encoding, String.valueOf(message.length), hash, timeout));
                } catch (java.security.NoSuchAlgorithmException error) {
                  throw new IllegalStateException(error);
                }
                answer.onNext(new byte[0]);
                answer.onCompleted();
              };
          return ServerCalls.asyncUnaryCall(take).startCall(call, headers);
        };
    return ServerMethodDefinition.create(descriptor, handler);
  }

  private static void server(String[] securities) throws Exception {
    for (int i = 1; i < securities.length; i++) {
      String security = securities[i];
      ServerCredentials credentials = InsecureServerCredentials.create();
      if (!security.equals("plain")) {
        TlsServerCredentials.Builder tls = TlsServerCredentials.newBuilder().keyManager(file("server.crt"), file("server.key"));
        if (security.equals("mtls")) tls.trustManager(file("ca.crt")).clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
        credentials = tls.build();
      }
      HandlerRegistry methods =
          new HandlerRegistry() {
            @Override
            public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
              return method(name, security);
            }
          };
      Server server = Grpc.newServerBuilderForPort(0, credentials).maxInboundMessageSize(64 << 20).fallbackHandlerRegistry(methods).build().start();
      System.out.println(security + " " + ((InetSocketAddress) server.getListenSockets().get(0)).getPort());
    }
    Thread.currentThread().join();
  }

  private static File file(String name) {
    return FILES.resolve(name).toFile();
  }
}
