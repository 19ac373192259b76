package io.github.everstep.conformance;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a sidecar listens, and its process, which is another one after it was revived.
 *
 * @param grpc its port for gRPC
 * @param http its port for HTTP
 * @param pid its process at first
 */
public record Sidecar(int grpc, int http, long pid) {
    /** Those that {@code cluster.py} has started; fails if there are fewer. */
    public static List<Sidecar> all(int least) {
        var grpc = listed("EVERSTEP_DAPR_GRPC_PORTS");
        if (grpc.size() < least) throw new AssertionError(grpc.size() + " sidecars: run this by conformance/dapr/cluster.py");
        var http = listed("EVERSTEP_DAPR_HTTP_PORTS");
        var pids = listed("EVERSTEP_DAPR_PIDS");
        var sidecars = new ArrayList<Sidecar>();
        for (int i = 0; i < grpc.size(); i++) {
            sidecars.add(new Sidecar(
                    Integer.parseInt(grpc.get(i)), Integer.parseInt(http.get(i)), Long.parseLong(pids.get(i))));
        }
        return sidecars;
    }

    /** The endpoint of a client over gRPC. */
    public String overGrpc() {
        return "grpc://127.0.0.1:" + grpc;
    }

    /** The endpoint of a client over HTTP. */
    public String overHttp() {
        return "http://127.0.0.1:" + http;
    }

    private static List<String> listed(String variable) {
        var text = System.getenv().getOrDefault(variable, "");
        return text.isEmpty() ? List.of() : List.of(text.split(","));
    }
}
