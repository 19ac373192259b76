package orders;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** One life of the worker process. */
final class Life {
    private final Process process;
    private final Path log;
    private final long startedAt = System.currentTimeMillis();

    Life(Class<?> worker, DemoOptions options, Place place) throws IOException {
        log = options.folder().resolve("worker.log");
        var builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dorders.story=" + Story.file(""),
                "-cp", System.getProperty("java.class.path"),
                worker.getName(),
                "--shop", options.shop().toString(),
                "--orders", String.valueOf(options.orders()),
                "--approval-seconds", String.valueOf(options.approvalSeconds()),
                "--prefix", place.prefix());
        builder.environment().clear();
        builder.environment().putAll(place.environment());
        process = builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
        process.getOutputStream().close();
    }

    long pid() {
        return process.pid();
    }

    /** When the process was started, in milliseconds since 1970. */
    long startedAt() {
        return startedAt;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGKILL; nothing happens to a process that has ended. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** What the process printed; it has ended by itself. */
    String output() throws IOException, InterruptedException {
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status == 0) return output;
        var text = Files.readString(log);
        throw new IllegalStateException(
                "the worker process ended with " + status + ":\n" + text.substring(Math.max(0, text.length() - 2000)));
    }
}
