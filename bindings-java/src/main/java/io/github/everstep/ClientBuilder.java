package io.github.everstep;

import io.github.everstep.bridge.Calls;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.bridge.Request;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What a client is told before it is opened. */
public final class ClientBuilder {
    private final Map<String, String> components = new LinkedHashMap<>();
    private @Nullable String endpoint;
    private @Nullable Integer maxPayloadBytes;
    private @Nullable Durability durability;
    private @Nullable Duration callTimeout;
    private @Nullable String apiToken;
    private @Nullable Path tlsRoots;
    private @Nullable Path tlsCertificate;
    private @Nullable Path tlsKey;
    private @Nullable Codec codec;
    private Executor executor = Thread::startVirtualThread;

    ClientBuilder() {}

    /**
     * Where workflows run: {@code memory:}, {@code sqlite:PATH}, {@code http(s)://host:port}, {@code grpc(s)://host:port} or {@code
     * dapr:}. Without: what the environment says, see {@link Client}.
     *
     * @param endpoint the endpoint
     * @return this
     */
    public ClientBuilder endpoint(String endpoint) {
        this.endpoint = endpoint;
        return this;
    }

    /**
     * Another component, which {@link Client#component} asks.
     *
     * @param name its name
     * @param endpoint its endpoint
     * @return this
     */
    public ClientBuilder component(String name, String endpoint) {
        components.put(Arguments.present(name, "name"), Arguments.present(endpoint, "endpoint"));
        return this;
    }

    /**
     * What an acknowledged change survives, on the embedded engine. Without: a power cut.
     *
     * @param durability what it survives
     * @return this
     */
    public ClientBuilder durability(Durability durability) {
        this.durability = Arguments.present(durability, "durability");
        return this;
    }

    /**
     * How long a call waits for its answer; waits for a workflow have their own timeouts. Without: 60 seconds.
     *
     * @param callTimeout the time
     * @return this
     */
    public ClientBuilder callTimeout(Duration callTimeout) {
        this.callTimeout = Arguments.present(callTimeout, "callTimeout");
        return this;
    }

    /**
     * How large an input, an output or an event may be. Without: 4 MiB.
     *
     * @param maxPayloadBytes bytes of encoded text, at least 1
     * @return this
     */
    public ClientBuilder maxPayloadBytes(int maxPayloadBytes) {
        this.maxPayloadBytes = Arguments.count(maxPayloadBytes, "maxPayloadBytes", 1);
        return this;
    }

    /**
     * Which token a Dapr sidecar expects. Without: that of {@code DAPR_API_TOKEN}.
     *
     * @param apiToken the token
     * @return this
     */
    public ClientBuilder apiToken(String apiToken) {
        this.apiToken = Arguments.present(apiToken, "apiToken");
        return this;
    }

    /**
     * Which certificates a remote endpoint's is checked against. Without: the system's.
     *
     * @param tlsRoots a PEM file
     * @return this
     */
    public ClientBuilder tlsRoots(Path tlsRoots) {
        this.tlsRoots = Arguments.present(tlsRoots, "tlsRoots");
        return this;
    }

    /**
     * Which certificate this client shows, where the endpoint asks for one.
     *
     * @param tlsCertificate a PEM file
     * @return this
     */
    public ClientBuilder tlsCertificate(Path tlsCertificate) {
        this.tlsCertificate = Arguments.present(tlsCertificate, "tlsCertificate");
        return this;
    }

    /**
     * The private key of that certificate.
     *
     * @param tlsKey a PEM file
     * @return this
     */
    public ClientBuilder tlsKey(Path tlsKey) {
        this.tlsKey = Arguments.present(tlsKey, "tlsKey");
        return this;
    }

    /**
     * How values become payloads. Without: {@link JacksonCodec#create()}.
     *
     * @param codec the codec
     * @return this
     */
    public ClientBuilder codec(Codec codec) {
        this.codec = Arguments.present(codec, "codec");
        return this;
    }

    /**
     * Where the program's own code runs that it attaches to futures. Without: a new virtual thread each time.
     *
     * @param executor where it runs
     * @return this
     */
    public ClientBuilder executor(Executor executor) {
        this.executor = Arguments.present(executor, "executor");
        return this;
    }

    /**
     * Opens the client.
     *
     * @return the client
     * @throws EverstepException what opening the endpoint answers, for example {@link StoreLockedException}
     */
    public Client build() {
        Payloads payloads = new Payloads(codec == null ? defaultCodec() : codec);
        Request options = Request.part()
                .with("endpoint", endpoint)
                .with("components", components)
                .with("durability", durability == null ? null : durability.name().toLowerCase(Locale.ROOT))
                .json("callTimeoutMs", Times.millis(callTimeout, "callTimeout"))
                .json("maxPayloadBytes", maxPayloadBytes)
                .with("apiToken", apiToken)
                .with("tlsRoots", text(tlsRoots))
                .with("tlsCertificate", text(tlsCertificate))
                .with("tlsKey", text(tlsKey));
        Calls calls = Calls.open(options, payloads, executor);
        for (String warning : calls.warnings()) {
            System.getLogger("io.github.everstep").log(System.Logger.Level.WARNING, warning);
        }
        return new Client(calls, new Operations(payloads, null));
    }

    private static Codec defaultCodec() {
        try {
            return JacksonCodec.create();
        } catch (NoClassDefFoundError missing) {
            throw new FailedPreconditionException(
                    "the default codec needs Jackson: add com.fasterxml.jackson.core:jackson-databind, and jackson-datatype-jsr310 and "
                            + "jackson-datatype-jdk8 of com.fasterxml.jackson.datatype, or give the client a codec of your own",
                    ErrorDetails.causedBy(missing));
        }
    }

    private static @Nullable String text(@Nullable Path path) {
        return path == null ? null : path.toString();
    }
}
