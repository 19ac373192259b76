package orders;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.Map;

/** One line of orders.csv, and how long its approver may take. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Order(
        String orderId, String customer, String sku, int quantity, long totalCents, String card, double approvalSeconds) {

    public static Order of(Map<String, String> row, double approvalSeconds) {
        return new Order(
                row.get("order_id"),
                row.get("customer"),
                row.get("sku"),
                Integer.parseInt(row.get("quantity")),
                Long.parseLong(row.get("total_cents")),
                row.get("card"),
                approvalSeconds);
    }

    /** The number in its ID. */
    public int number() {
        return Integer.parseInt(orderId.substring(orderId.lastIndexOf('-') + 1));
    }
}
