package codecs;

import io.github.everstep.Activity;
import io.github.everstep.ActivityFailedException;
import io.github.everstep.Client;
import io.github.everstep.JacksonCodec;
import io.github.everstep.StartOptions;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A workflow with personal data, and what its file holds: nothing that can be read without the key. */
public final class Demo {
    record Patient(String name, List<String> findings) {}

    private static final Activity<Patient, String> SUMMARIZE = Activity.of(
            "summarize",
            Patient.class,
            String.class,
            (ctx, patient) -> patient.name() + ": " + String.join(", ", patient.findings()));

    private static final Activity<String, Void> SEND = Activity.of("send", String.class, Void.class, (ctx, summary) -> {
        throw new ConnectException("no route for " + summary);
    });

    private static final Workflow<Patient, String> REPORT =
            Workflow.of("report", Patient.class, String.class, (ctx, patient) -> {
                ctx.setCustomStatus(Map.of("patient", patient.name()));
                var summary = ctx.call(SUMMARIZE, patient).await();
                try {
                    ctx.call(SEND, summary).await();
                } catch (ActivityFailedException error) {
                    // The type of an error stays clear, so that retry policies can match it; its message does not.
                    return "not sent (" + error.failure().errorType() + "): " + summary;
                }
                return summary;
            });

    private Demo() {}

    /** Runs in a folder of its own, which it leaves. */
    public static void main(String[] args) throws IOException {
        run(Files.createTempDirectory("codecs"), System.out);
    }

    static void run(Path folder, PrintStream out) throws IOException {
        var key = new byte[32];
        new SecureRandom().nextBytes(key);
        var codec = new Encrypting(new Compressing(JacksonCodec.create(), 256), Map.of("2026-11", key), "2026-11");
        try (var client = Client.builder().endpoint("sqlite:" + folder.resolve("workflows.db")).codec(codec).build();
                var worker = Worker.builder(client).workflows(REPORT).activities(SUMMARIZE, SEND).start()) {
            var patient = new Patient("Ada Morgenstern", List.of("hay fever"));
            var handle = client.startWorkflow(REPORT, patient, StartOptions.instanceId("report-1"));
            out.println("the program sees: " + handle.result(Duration.ofSeconds(30)));
            out.println("the file holds:   " + handle.state().output().text().substring(0, 60) + " …");
        }
        boolean found = false;
        try (var files = Files.newDirectoryStream(folder)) {
            for (var file : files) {
                // One byte is one character here, so nothing is lost.
                found |= Files.readString(file, StandardCharsets.ISO_8859_1).contains("Morgenstern");
            }
        }
        out.println("the name is in the file: " + found);
    }
}
