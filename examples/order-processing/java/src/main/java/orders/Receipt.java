package orders;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/** How an order ended. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Receipt(String orderId, String outcome, long chargedCents) {}
