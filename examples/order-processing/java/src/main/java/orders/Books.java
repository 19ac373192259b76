package orders;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The demo's own view of the shop's database, from outside the worker process. */
final class Books implements AutoCloseable {
    private final Connection connection;

    Books(Path path) throws SQLException {
        connection = DriverManager.getConnection("jdbc:sqlite:" + path);
        connection.createStatement().execute("PRAGMA busy_timeout = 30000");
    }

    List<List<Object>> rows(String query, Object... values) throws SQLException {
        try (var statement = connection.prepareStatement(query)) {
            for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
            var found = statement.executeQuery();
            int columns = found.getMetaData().getColumnCount();
            var rows = new ArrayList<List<Object>>();
            while (found.next()) {
                var row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    Object cell = found.getObject(i);
                    row.add(cell instanceof Number number ? number.longValue() : cell);
                }
                rows.add(row);
            }
            return rows;
        }
    }

    long number(String query) throws SQLException {
        var number = (Long) rows(query).getFirst().getFirst();
        return number == null ? 0 : number;
    }

    int ended() throws SQLException {
        return (int) number("SELECT count(*) FROM ledger WHERE kind = 'ended'");
    }

    int underWay() throws SQLException {
        return (int) number("SELECT count(DISTINCT order_id) FROM ledger") - ended();
    }

    /** How many orders nobody has answered for and that have not timed out yet. */
    int waiting() throws SQLException {
        return (int) number("SELECT count(*) FROM approvals AS a WHERE answer IS NULL"
                + " AND NOT EXISTS (SELECT 1 FROM ledger WHERE kind = 'ended' AND order_id = a.order_id)");
    }

    /** The same sums as in expected.json. */
    Map<String, Object> sums() throws SQLException {
        var sums = new LinkedHashMap<String, Object>();
        sums.put("orders", (long) ended());
        sums.put("outcomes", pairs("SELECT detail, count(*) FROM ledger WHERE kind = 'ended' GROUP BY detail ORDER BY detail"));
        sums.put("charged_cents", number("SELECT sum(cents) FROM ledger WHERE kind = 'charged'"));
        sums.put("units_shipped", number("SELECT sum(units) FROM ledger WHERE kind = 'shipped'"));
        sums.put("payment_attempts", number("SELECT count(*) FROM ledger WHERE kind = 'attempt'"));
        sums.put("stock_left", pairs("SELECT sku, stock FROM products"));
        return sums;
    }

    private Map<Object, Object> pairs(String query) throws SQLException {
        var pairs = new LinkedHashMap<>();
        for (var row : rows(query)) pairs.put(row.get(0), row.get(1));
        return pairs;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
