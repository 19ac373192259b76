package orders;

import static orders.Screen.CYAN;
import static orders.Screen.DIM;
import static orders.Screen.GREEN;
import static orders.Screen.RED;
import static orders.Screen.YELLOW;
import static orders.Screen.format;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A few thousand orders through a durable workflow, with a kill -9 in the middle, and the proof that nothing was lost.
 *
 * <p>Starts the worker, kills it when 40 % of the orders have ended, starts it again, and checks what came out: the claims of
 * verify.sql on the shop's database, and every order against expected.csv. Ends with 1 if anything differs.
 *
 * <p>The workflows run in a file of the demo's own, or on the Dapr sidecar that DAPR_GRPC_PORT or DAPR_GRPC_ENDPOINT names.
 */
public final class Demo {
    private static final double KILL_AT = 0.4;
    private static final long POLL_MS = 20;
    private static final int FEWEST = 50;

    private final Screen screen = new Screen();
    private final DemoOptions options;
    private final Class<?> worker;
    private final Place place;
    private final Books books;

    private Demo(Class<?> worker, DemoOptions options, Books books) {
        this.worker = worker;
        this.options = options;
        this.books = books;
        this.place = Place.ofEnvironment(options.folder());
    }

    public static void main(String[] args) throws Exception {
        System.exit(run(WorkerProcess.class, args));
    }

    /** Runs the demo with the worker whose main class this is; gives the status to end with. */
    public static int run(Class<?> worker, String[] args) throws Exception {
        int available = Story.rows("orders").size();
        var options = DemoOptions.of(args, available);
        if (options.orders() < FEWEST || options.orders() > available) {
            System.err.println("--orders must be from " + FEWEST + " to " + available);
            return 2;
        }
        recreate(options.folder());
        Story.createShop(options.shop(), options.orders());
        try (var books = new Books(options.shop())) {
            return new Demo(worker, options, books).told() ? 0 : 1;
        }
    }

    private boolean told() throws Exception {
        long started = System.nanoTime();
        screen.say("everstep: order processing", CYAN);
        Map<String, Integer> returned;
        var lives = new ArrayList<Life>();
        try {
            throughAKill(lives);
            returned = new ObjectMapper().readValue(lives.getLast().output(), new TypeReference<TreeMap<String, Integer>>() {});
        } finally {
            for (var life : lives) life.kill();
        }
        summarize(returned);
        measure(lives.getFirst(), lives.getLast(), started);
        boolean right = new Proof(screen, books).holds(returned, options.orders());
        screen.say("");
        screen.say("  see for yourself: sqlite3 -box " + options.shop() + " < " + Story.file("verify.sql"), DIM);
        screen.say(right ? "  Nothing was lost, nothing happened twice." : "  The books are wrong.", right ? GREEN : RED);
        return right;
    }

    private void throughAKill(List<Life> lives) throws Exception {
        int orders = options.orders();
        screen.title(format("1  %,d orders come in", orders));
        var first = new Life(worker, options, place);
        lives.add(first);
        screen.say("  worker process " + first.pid() + ": " + place.name(), DIM);
        watch(first, (int) (orders * KILL_AT));
        if (!first.isAlive()) {
            first.output();
            throw new IllegalStateException("the worker had finished before it could be killed; give it more --orders");
        }
        first.kill();
        boolean both = place.killSidecar();

        screen.title("2  kill -9");
        screen.say(format("  worker process %d%s got SIGKILL: %,d orders had ended, %,d were somewhere in the middle",
                first.pid(), both ? " and its sidecar" : "", books.ended(), books.underWay()), YELLOW);

        screen.title("3  the same command again");
        var second = new Life(worker, options, place);
        lives.add(second);
        screen.say("  worker process " + second.pid() + " " + place.again() + " and goes on where the first one was", DIM);
        watch(second, orders + 1);
    }

    /** Shows the progress until so many orders have ended, or the worker has. */
    private void watch(Life life, int until) throws SQLException, InterruptedException {
        int orders = options.orders(), before = books.ended();
        long since = System.nanoTime();
        while (life.isAlive()) {
            int ended = books.ended(), waiting = books.waiting();
            double rate = (ended - before) / Math.max((System.nanoTime() - since) / 1e9, 0.001);
            screen.progress(ended, orders, ended < orders - waiting
                    ? format("%,.0f/s", rate)
                    : waiting + " still wait for an approver who is on holiday");
            if (ended >= until) break;
            Thread.sleep(POLL_MS);
        }
        screen.progress(books.ended(), orders, "");
        screen.settle();
    }

    private void summarize(Map<String, Integer> returned) throws SQLException {
        screen.title("4  what came out");
        var rows = new ArrayList<List<String>>();
        rows.add(List.of("outcome", "in the ledger", "workflows say", "charged, EUR"));
        long count = 0, cents = 0;
        for (var row : books.rows("SELECT detail, count(*), sum(cents) FROM ledger WHERE kind = 'ended' GROUP BY detail ORDER BY 2 DESC")) {
            var outcome = (String) row.get(0);
            rows.add(List.of(outcome.replace('_', ' '), format("%,d", row.get(1)), format("%,d", returned.getOrDefault(outcome, 0)), euros((Long) row.get(2))));
            count += (Long) row.get(1);
            cents += (Long) row.get(2);
        }
        int said = returned.values().stream().mapToInt(Integer::intValue).sum();
        rows.add(List.of("all orders", format("%,d", count), format("%,d", said), euros(cents)));
        screen.table(rows);
    }

    private static String euros(long cents) {
        return format("%,d.%02d", cents / 100, cents % 100);
    }

    private void measure(Life first, Life second, long started) throws SQLException {
        screen.title("5  figures");
        var ended = column("SELECT at_ms FROM ledger WHERE kind = 'ended' AND detail <> 'approval_timed_out' ORDER BY at_ms");
        speed("before the kill", ended.stream().filter(at -> at < second.startedAt()).toList(), first);
        speed("after it", ended.stream().filter(at -> at >= second.startedAt()).toList(), second);
        var durations = column("SELECT max(at_ms) - min(at_ms) FROM ledger AS l GROUP BY order_id HAVING count(*) > 1"
                + " AND NOT EXISTS (SELECT 1 FROM approvals AS a WHERE a.order_id = l.order_id) ORDER BY 1");
        if (!durations.isEmpty()) {
            long half = durations.get(durations.size() / 2), most = durations.get(durations.size() * 99 / 100);
            figure("one order", format("%,d ms from reservation to notification (median), %,d ms (p99)", half, most));
        }
        long failed = books.number("SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM ledger WHERE kind = 'attempt' GROUP BY order_id)");
        long again = books.number("SELECT sum(runs - 1) FROM ledger WHERE kind <> 'charged'");
        figure("payments", format("%,d attempts failed and were tried again", failed));
        figure("activities", format("%,d ran a second time after the kill; the ledger's key made them harmless", again));
        figure("in all", format("%.1f s", (System.nanoTime() - started) / 1e9));
    }

    private List<Long> column(String query) throws SQLException {
        return books.rows(query).stream().map(row -> (Long) row.getFirst()).toList();
    }

    private void speed(String name, List<Long> times, Life life) {
        if (times.size() < 2) return;
        double rate = 1000.0 * times.size() / Math.max(times.getLast() - times.getFirst(), 1);
        long delay = times.getFirst() - life.startedAt();
        figure(name, format("%,5d orders at %,.0f per second, the first one %,d ms after the process was started", times.size(), rate, delay));
    }

    private void figure(String name, String text) {
        screen.say(format("  %-16s %s", name, text));
    }

    private static void recreate(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (var files = Files.walk(folder)) {
                for (var path : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
            }
        }
        Files.createDirectories(folder);
    }
}
