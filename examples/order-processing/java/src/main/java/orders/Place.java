package orders;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Where the workflows run: what the worker process is told about it, and how the demo speaks of it.
 *
 * @param sidecar the process ID of the worker's sidecar; 0 if that is not known
 */
record Place(Map<String, String> environment, String prefix, long sidecar, String name, String again) {

    static Place ofEnvironment(Path folder) {
        var environment = new HashMap<>(System.getenv());
        if (environment.containsKey("DAPR_GRPC_PORT") || environment.containsKey("DAPR_GRPC_ENDPOINT")) {
            environment.remove("EVERSTEP_ENDPOINT");
            // Dapr has the orders of earlier demos still; those of this one need IDs of their own.
            var prefix = "demo-" + System.currentTimeMillis() + "-";
            var pids = environment.getOrDefault("EVERSTEP_DAPR_PIDS", "").split(",");
            long sidecar = pids[0].isEmpty() ? 0 : Long.parseLong(pids[0]);
            var name = "workflows and activities in a Java process, the engine is Dapr";
            return new Place(environment, prefix, sidecar, name, "connects to the same Dapr");
        }
        environment.put("EVERSTEP_ENDPOINT", "sqlite:" + folder.resolve("engine.db"));
        return new Place(environment, "", 0, "engine, workflows and activities in one Java process", "opens the same file");
    }

    /**
     * Kills the worker's sidecar with it, as the end of a pod does; says whether there is one that comes back.
     *
     * <p>A sidecar of Dapr 1.18 that loses its only worker in the middle of turns takes no other one until it is restarted.
     */
    boolean killSidecar() {
        if (sidecar == 0) return false;
        ProcessHandle.of(sidecar).ifPresent(ProcessHandle::destroyForcibly);
        return true;
    }
}
