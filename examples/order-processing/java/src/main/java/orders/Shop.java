package orders;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** The shop's own database: stock, approvals and the ledger. Nothing in it knows a workflow engine. */
public final class Shop implements AutoCloseable {
    private final Connection connection;
    private final ReentrantLock lock = new ReentrantLock();

    /** Opens the database, on one connection that the activities' threads share. */
    public Shop(Path path) {
        try {
            connection = DriverManager.getConnection("jdbc:sqlite:" + path);
            try (var statement = connection.createStatement()) {
                // The log survives the death of a process at any point, which is what the demo brings about; a shop that
                // must also survive a power cut would pay for synchronous=FULL.
                statement.execute("PRAGMA journal_mode = WAL");
                statement.execute("PRAGMA synchronous = NORMAL");
                statement.execute("PRAGMA busy_timeout = 30000");
            }
            connection.setAutoCommit(false);
        } catch (SQLException error) {
            throw new IllegalStateException("the shop's database does not open", error);
        }
    }

    /** An approval request on the approver's desk. */
    public record Request(String orderId, String customer) {}

    /** What is done within one transaction. */
    @FunctionalInterface
    public interface Work<T> {
        T in(Booking booking) throws SQLException;
    }

    /** Does one transaction, which is committed as a whole, or not at all. */
    public <T> T book(Work<T> work) {
        lock.lock();
        try {
            try {
                T answer = work.in(new Booking());
                connection.commit();
                return answer;
            } catch (SQLException | RuntimeException error) {
                connection.rollback();
                throw error;
            }
        } catch (SQLException error) {
            throw new IllegalStateException(error);
        } finally {
            lock.unlock();
        }
    }

    public int stock(String sku) {
        return book(booking -> {
            try (var query = booking.prepared("SELECT stock FROM products WHERE sku = ?", sku)) {
                return query.executeQuery().getInt(1);
            }
        });
    }

    public List<Request> unanswered() {
        return book(booking -> {
            String desk = "SELECT order_id, customer FROM approvals JOIN orders USING (order_id) WHERE answer IS NULL";
            try (var query = booking.prepared(desk)) {
                var requests = new ArrayList<Request>();
                var rows = query.executeQuery();
                while (rows.next()) requests.add(new Request(rows.getString(1), rows.getString(2)));
                return requests;
            }
        });
    }

    public void answer(String orderId, String answer) {
        book(booking -> booking.update("UPDATE approvals SET answer = ? WHERE order_id = ?", answer, orderId));
    }

    @Override
    public void close() {
        lock.lock();
        try {
            connection.close();
        } catch (SQLException error) {
            throw new IllegalStateException(error);
        } finally {
            lock.unlock();
        }
    }

    /** One transaction. */
    public final class Booking {
        private Booking() {}

        /** Writes a row of the ledger and tells whether this task wrote it for the first time. */
        public boolean isNew(Entry entry) throws SQLException {
            String insert = "INSERT INTO ledger (key, order_id, kind, sku, units, cents, detail, at_ms)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET runs = runs + 1 RETURNING runs";
            var key = entry.key() + "/" + entry.kind();
            long now = System.currentTimeMillis();
            try (var query = prepared(
                    insert, key, entry.orderId(), entry.kind(), entry.sku(), entry.units(), entry.cents(), entry.detail(), now)) {
                return query.executeQuery().getInt(1) == 1;
            }
        }

        /** Takes units from the stock; where they are gone meanwhile, the whole booking is undone. */
        public boolean takeStock(String sku, int units) throws SQLException {
            int taken = update("UPDATE products SET stock = stock - ? WHERE sku = ? AND stock >= ?", units, sku, units);
            if (taken == 0) connection.rollback();
            return taken == 1;
        }

        public void returnStock(String sku, int units) throws SQLException {
            update("UPDATE products SET stock = stock + ? WHERE sku = ?", units, sku);
        }

        public void askApprover(String orderId) throws SQLException {
            update("INSERT INTO approvals (order_id) VALUES (?)", orderId);
        }

        private int update(String sql, Object... values) throws SQLException {
            try (var statement = prepared(sql, values)) {
                return statement.executeUpdate();
            }
        }

        private PreparedStatement prepared(String sql, Object... values) throws SQLException {
            var statement = connection.prepareStatement(sql);
            for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
            return statement;
        }
    }

    /** A row of the ledger; {@code key} is the key of the task that writes it. */
    public record Entry(String key, String orderId, String kind, String sku, int units, long cents, String detail) {
        public static Entry of(String key, String orderId, String kind) {
            return new Entry(key, orderId, kind, null, 0, 0, "");
        }

        public Entry units(String of, int count) {
            return new Entry(key, orderId, kind, of, count, cents, detail);
        }

        public Entry cents(long count) {
            return new Entry(key, orderId, kind, sku, units, count, detail);
        }

        public Entry detail(String text) {
            return new Entry(key, orderId, kind, sku, units, cents, text);
        }
    }
}
