package io.github.everstep.dapr;

import io.github.everstep.Client;
import io.github.everstep.InvalidArgumentException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a client or a runtime connects to: what is given here, else the system's properties, else Dapr's variables. Where
 * none of them names a sidecar, workflows are where an everstep client finds them.
 */
public class Properties {
    /** The host of a sidecar. */
    public static final Property<String> SIDECAR_IP =
            new Property<>("dapr.sidecar.ip", "DAPR_SIDECAR_IP", "127.0.0.1", Function.identity());

    /** The port of its gRPC API. */
    public static final Property<Integer> GRPC_PORT =
            new Property<>("dapr.grpc.port", "DAPR_GRPC_PORT", 50001, Integer::valueOf);

    /** The address of its gRPC API, with a scheme for TLS. */
    public static final Property<String> GRPC_ENDPOINT =
            new Property<>("dapr.grpc.endpoint", "DAPR_GRPC_ENDPOINT", null, Function.identity());

    /** The token that it expects. */
    public static final Property<String> API_TOKEN =
            new Property<>("dapr.api.token", "DAPR_API_TOKEN", null, Function.identity());

    /** A PEM file of this program's certificate. */
    public static final Property<String> GRPC_TLS_CERT_PATH =
            new Property<>("dapr.grpc.tls.cert.path", "DAPR_GRPC_TLS_CERT_PATH", null, Function.identity());

    /** A PEM file of its private key. */
    public static final Property<String> GRPC_TLS_KEY_PATH =
            new Property<>("dapr.grpc.tls.key.path", "DAPR_GRPC_TLS_KEY_PATH", null, Function.identity());

    /** A PEM file of the certificates that the sidecar's is checked against. */
    public static final Property<String> GRPC_TLS_CA_PATH =
            new Property<>("dapr.grpc.tls.ca.path", "DAPR_GRPC_TLS_CA_PATH", null, Function.identity());

    private static final Pattern ADDRESS =
            Pattern.compile("(?:(?<scheme>https?|grpcs?|dns):(?://)?)?(?<place>[^?/]+?)(?<port>:\\d+)?(?:\\?tls=(?<tls>true|false))?");
    // Every client of its own engine: a runtime and its clients would not meet.
    private static final Set<String> ALONE = Set.of("memory:", "test:");
    private static final String SHARED = "dapr";

    private final Map<String, String> given = new HashMap<>();

    /** What the system and the environment say. */
    public Properties() {
        this(Map.of());
    }

    /**
     * Some settings of the program's own.
     *
     * @param overriddenProperties values by property, or by a property's name
     */
    public Properties(@Nullable Map<?, String> overriddenProperties) {
        if (overriddenProperties != null) {
            overriddenProperties.forEach((key, value) ->
                    given.put(key instanceof Property<?> property ? property.getName() : key.toString(), value));
        }
    }

    /**
     * A setting's value.
     *
     * @param <T> its type
     * @param property the setting
     * @return its value; null if there is none
     */
    public <T> @Nullable T getValue(Property<T> property) {
        var text = said(property);
        return property.read(text == null ? System.getenv(property.getEnvName()) : text);
    }

    private @Nullable String said(Property<?> property) {
        var text = given.get(property.getName());
        return text == null ? System.getProperty(property.getName()) : text;
    }

    Client connect() {
        var builder = Client.builder().codec(new PayloadCodec());
        var endpoint = endpoint();
        if (endpoint != null) {
            builder.endpoint(endpoint);
        }
        var token = said(API_TOKEN);
        if (token != null) {
            builder.apiToken(token);
        }
        var certificate = getValue(GRPC_TLS_CERT_PATH);
        var key = getValue(GRPC_TLS_KEY_PATH);
        var roots = getValue(GRPC_TLS_CA_PATH);
        if (certificate != null) {
            builder.tlsCertificate(Path.of(certificate));
        }
        if (key != null) {
            builder.tlsKey(Path.of(key));
        }
        if (roots != null) {
            builder.tlsRoots(Path.of(roots));
        }
        return builder.build();
    }

    /** The endpoint that is given here or by the system's properties; null where the environment decides. */
    @Nullable String endpoint() {
        var address = said(GRPC_ENDPOINT);
        if (address == null && (said(SIDECAR_IP) != null || said(GRPC_PORT) != null)) {
            address = getValue(SIDECAR_IP) + ":" + getValue(GRPC_PORT);
        }
        if (address == null) {
            var chosen = System.getenv("EVERSTEP_ENDPOINT");
            return chosen != null && ALONE.contains(chosen) ? chosen + SHARED : null;
        }
        var found = ADDRESS.matcher(address);
        if (!found.matches()) {
            throw new InvalidArgumentException(
                    "'" + address + "' is no address of Dapr's gRPC API; write host:port, or https://host:port for TLS");
        }
        var scheme = found.group("scheme");
        boolean tls = "https".equals(scheme) || "grpcs".equals(scheme) || "true".equals(found.group("tls"));
        return (tls ? "grpcs://" : "grpc://") + found.group("place") + (found.group("port") == null ? ":443" : found.group("port"));
    }
}
