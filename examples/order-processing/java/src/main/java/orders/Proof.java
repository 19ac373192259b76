package orders;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Proves a run from the ledger, then compares it with what the story expects. */
final class Proof {
    private static final String PER_ORDER = "SELECT order_id, max(detail) FILTER (WHERE kind = 'ended'),"
            + " coalesce(sum(cents) FILTER (WHERE kind = 'charged'), 0), count(*) FILTER (WHERE kind = 'attempt')"
            + " FROM orders LEFT JOIN ledger USING (order_id) GROUP BY order_id ORDER BY order_id";

    private final Screen screen;
    private final Books books;
    private boolean right = true;

    Proof(Screen screen, Books books) {
        this.screen = screen;
        this.books = books;
    }

    /** Says what holds; {@code returned} are the outcomes that the workflows returned. */
    boolean holds(Map<String, Integer> returned, int orders) throws Exception {
        screen.title("6  the proof: verify.sql on the shop's database");
        for (var claim : books.rows(Story.text("verify.sql"))) {
            long checked = (Long) claim.get(1), wrong = (Long) claim.get(2);
            var note = wrong == 0 ? "%,d checked" : "%2$,d of %1$,d wrong";
            check(wrong == 0, (String) claim.get(0), Screen.format(note, checked, wrong));
        }
        var expected = new ArrayList<List<Object>>();
        var outcomes = new TreeMap<String, Integer>();
        for (var row : Story.rows("expected").subList(0, orders)) {
            long charged = Long.parseLong(row.get("charged_cents")), attempts = Long.parseLong(row.get("payment_attempts"));
            expected.add(List.of(row.get("order_id"), row.get("outcome"), charged, attempts));
            outcomes.merge(row.get("outcome"), 1, Integer::sum);
        }
        var different = new ArrayList<>(expected);
        different.removeAll(books.rows(PER_ORDER));
        var some = different.stream().limit(5).map(order -> (String) order.getFirst()).toList();
        var note = some.isEmpty() ? Screen.format("%,d checked", orders) : "not so: " + String.join(", ", some);
        check(some.isEmpty(), "every order came out as expected.csv says", note);
        check(outcomes.equals(returned), "the workflows returned the same outcomes", "");
        if (orders == Story.rows("expected").size()) {
            var mapper = new ObjectMapper();
            JsonNode sums = mapper.readTree(mapper.writeValueAsString(books.sums()));
            check(sums.equals(mapper.readTree(Story.text("data/expected.json"))), "the sums are those of expected.json", "");
        }
        return right;
    }

    private void check(boolean holds, String claim, String note) {
        screen.check(holds, claim, note);
        right &= holds;
    }
}
