package orders;

import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What the demo shows: a progress bar, tables and marks on a terminal, plain lines anywhere else. */
final class Screen {
    static final String BOLD = "1", DIM = "2", RED = "31", GREEN = "32", YELLOW = "33", CYAN = "36";
    private static final int BAR = 40;

    private final PrintStream out = System.out;
    private final boolean live = System.console() != null && System.console().isTerminal() && !"dumb".equals(System.getenv("TERM"));
    private final boolean colour = live && System.getenv("NO_COLOR") == null;
    private final boolean drawn = canEncode("█░─✔✘");
    private boolean barShown;
    private long nextLine;

    private static boolean canEncode(String text) {
        var charset = System.getProperty("stdout.encoding", "US-ASCII");
        return Charset.isSupported(charset) && Charset.forName(charset).newEncoder().canEncode(text);
    }

    /** Text by a pattern, the same wherever it runs. */
    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    String paint(String text, String... codes) {
        return colour && codes.length > 0 ? "\u001b[" + String.join(";", codes) + "m" + text + "\u001b[0m" : text;
    }

    void say(String text, String... codes) {
        wipe();
        out.println(paint(text, codes));
        out.flush();
    }

    void title(String text) {
        say("");
        say(text, BOLD);
    }

    /** Draws the bar again; without a terminal it is a line now and then. */
    void progress(int done, int total, String note) {
        if (!live) {
            if (System.nanoTime() < nextLine && nextLine != 0) return;
            nextLine = System.nanoTime() + 1_000_000_000L;
            out.println(format("  %,d of %,d orders ended (%d%%), %s", done, total, 100 * done / total, note));
            out.flush();
            return;
        }
        int filled = BAR * done / total;
        var bar = paint((drawn ? "█" : "#").repeat(filled), GREEN) + paint((drawn ? "░" : ".").repeat(BAR - filled), DIM);
        out.print(format("\r\u001b[K  %s %,d/%,d  %s", bar, done, total, paint(note, DIM)));
        out.flush();
        barShown = true;
    }

    /** Leaves the bar as it is and goes on below. */
    void settle() {
        if (barShown) out.println();
        barShown = false;
    }

    void check(boolean right, String text, String note) {
        var mark = right ? paint(drawn ? "✔" : "ok", GREEN) : paint(drawn ? "✘" : "WRONG", RED, BOLD);
        say("  " + mark + " " + text + (note.isEmpty() ? "" : paint("  " + note, DIM)));
    }

    /** A table whose first column is words and whose others are numbers; the first row is its head, the last one its total. */
    void table(List<List<String>> rows) {
        var widths = new ArrayList<Integer>();
        for (int i = 0; i < rows.getFirst().size(); i++) {
            int column = i;
            widths.add(rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0));
        }
        int width = widths.stream().mapToInt(Integer::intValue).sum() + 3 * (widths.size() - 1);
        var rule = "  " + (drawn ? "─" : "-").repeat(width);
        for (int i = 0; i < rows.size(); i++) {
            boolean framed = i == 0 || i == rows.size() - 1;
            if (i == rows.size() - 1) say(rule, DIM);
            say(line(rows.get(i), widths), framed ? new String[] {BOLD} : new String[] {});
            if (i == 0) say(rule, DIM);
        }
    }

    private static String line(List<String> cells, List<Integer> widths) {
        var line = new StringBuilder("  ");
        for (int i = 0; i < cells.size(); i++) {
            line.append(i == 0 ? "" : "   ").append(format("%" + (i == 0 ? "-" : "") + widths.get(i) + "s", cells.get(i)));
        }
        return line.toString();
    }

    private void wipe() {
        if (barShown) out.print("\r\u001b[K");
        barShown = false;
    }
}
