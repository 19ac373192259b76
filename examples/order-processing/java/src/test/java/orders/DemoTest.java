package orders;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo in small, and that its proof can fail. */
class DemoTest {
    @Test
    @Timeout(value = 180, unit = TimeUnit.SECONDS)
    void ordersSurviveAKill(@TempDir Path folder) throws Exception {
        var said = new ByteArrayOutputStream();
        var before = System.out;
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        int status;
        try {
            // On a busy machine the worker is away for longer.
            var options = new String[] {
                "--orders", "200", "--approval-seconds", "20", "--folder", folder.resolve("run").toString()
            };
            status = Demo.run(WorkerProcess.class, options);
        } finally {
            System.setOut(before);
        }
        var text = said.toString(StandardCharsets.UTF_8);
        assertEquals(0, status, text);
        assertTrue(text.contains("got SIGKILL"), text);
        assertTrue(text.contains("Nothing was lost"), text);
        assertTrue(!text.contains("\u001b"), text);
    }

    @Test
    void theProofFailsOnAnOrderThatWasLost(@TempDir Path folder) throws Exception {
        var path = folder.resolve("shop.db");
        Story.createShop(path, 50);
        try (var books = new Books(path)) {
            assertTrue(!new Proof(new Screen(), books).holds(Map.of(), 50));
        }
    }
}
