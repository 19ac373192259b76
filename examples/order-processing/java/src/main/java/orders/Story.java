package orders;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What lies in the folder of the story: its data, and the shop's database made from it. */
public final class Story {
    private static final Path FOLDER = Path.of(System.getProperty("orders.story", ".."));

    private Story() {}

    public static Path file(String name) {
        return FOLDER.resolve(name);
    }

    public static String text(String name) {
        try {
            return Files.readString(file(name));
        } catch (IOException error) {
            throw new UncheckedIOException("the story is not at " + FOLDER + "; -Dorders.story=… says where", error);
        }
    }

    /** The lines of one of the story's files, by the names in its first line. */
    public static List<Map<String, String>> rows(String name) {
        var lines = text("data/" + name + ".csv").lines().toList();
        var names = cells(lines.getFirst());
        var rows = new ArrayList<Map<String, String>>();
        for (var line : lines.subList(1, lines.size())) {
            var row = new LinkedHashMap<String, String>();
            var cells = cells(line);
            for (int i = 0; i < names.size(); i++) row.put(names.get(i), cells.get(i));
            rows.add(row);
        }
        return rows;
    }

    /** The cells of a line; a comma within quotes is none. */
    private static List<String> cells(String line) {
        var cells = new ArrayList<String>();
        for (var cell : line.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1)) cells.add(cell.replaceAll("^\"|\"$", ""));
        return cells;
    }

    /** Makes a new shop with the full warehouse and the first so many orders. */
    public static void createShop(Path path, int orders) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            connection.setAutoCommit(false);
            for (var statement : text("schema.sql").replaceAll("--.*", "").split(";")) {
                if (!statement.isBlank()) connection.createStatement().execute(statement);
            }
            insert(connection, "INSERT INTO products VALUES (?, ?, ?, ?, ?)", rows("products"), "sku", "name", "unit_cents", "stock", "stock");
            insert(connection, "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", rows("orders").subList(0, orders), "order_id", "customer", "sku", "quantity", "total_cents", "card");
            connection.commit();
        }
    }

    private static void insert(Connection connection, String sql, List<Map<String, String>> rows, String... names) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (var row : rows) {
                for (int i = 0; i < names.length; i++) statement.setString(i + 1, row.get(names[i]));
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }
}
