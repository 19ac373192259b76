package orders;

import java.nio.file.Path;

/** What the demo is told on its command line: {@code --orders}, {@code --approval-seconds}, {@code --folder}. */
record DemoOptions(int orders, double approvalSeconds, Path folder) {
    /** Longer than a JVM can be away and busy together, so that an approver who answers is never too late. */
    private static final double APPROVAL_SECONDS = 12;

    static DemoOptions of(String[] args, int available) {
        var given = new Arguments(args);
        return new DemoOptions(
                Integer.parseInt(given.get("orders", String.valueOf(available))),
                Double.parseDouble(given.get("approval-seconds", String.valueOf(APPROVAL_SECONDS))),
                Path.of(given.get("folder", Story.file(".run").toString())));
    }

    Path shop() {
        return folder.resolve("shop.db");
    }
}
