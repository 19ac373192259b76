package orders;

import io.github.everstep.Activity;
import io.github.everstep.ActivityContext;
import io.github.everstep.ActivityName;
import io.github.everstep.NonRetryableException;
import orders.Shop.Entry;

/** The activities of the order workflow, each an object that has the shop. */
public final class Activities {
    private Activities() {}

    /** All of them, for one shop. */
    public static Activity<?, ?>[] of(Shop shop) {
        return new Activity<?, ?>[] {
            new CheckStock(shop),
            new Reserve(shop),
            new Release(shop),
            new RequestApproval(shop),
            new Charge(shop),
            new Ship(shop),
            new Notify(shop)
        };
    }

    /** The payment gateway did not answer: it may or may not have booked the money. Worth another attempt. */
    public static final class GatewayUnavailable extends RuntimeException {
        private static final long serialVersionUID = 1;

        GatewayUnavailable(String message) {
            super(message);
        }
    }

    /** The bank declines the card for good. */
    public static final class CardDeclined extends NonRetryableException {
        private static final long serialVersionUID = 1;

        CardDeclined(String message) {
            super(message);
        }
    }

    @ActivityName("check_stock")
    public record CheckStock(Shop shop) implements Activity<Order, Boolean> {
        @Override
        public Boolean run(ActivityContext ctx, Order order) {
            return shop.stock(order.sku()) >= order.quantity();
        }
    }

    @ActivityName("reserve")
    public record Reserve(Shop shop) implements Activity<Order, Boolean> {
        @Override
        public Boolean run(ActivityContext ctx, Order order) {
            var entry = Entry.of(ctx.taskKey(), order.orderId(), "reserved").units(order.sku(), order.quantity());
            return shop.book(booking -> !booking.isNew(entry) || booking.takeStock(order.sku(), order.quantity()));
        }
    }

    @ActivityName("release")
    public record Release(Shop shop) implements Activity<Order, Void> {
        @Override
        public Void run(ActivityContext ctx, Order order) {
            var entry = Entry.of(ctx.taskKey(), order.orderId(), "released").units(order.sku(), order.quantity());
            return shop.book(booking -> {
                if (booking.isNew(entry)) booking.returnStock(order.sku(), order.quantity());
                return null;
            });
        }
    }

    @ActivityName("request_approval")
    public record RequestApproval(Shop shop) implements Activity<Order, Void> {
        @Override
        public Void run(ActivityContext ctx, Order order) {
            return shop.book(booking -> {
                if (booking.isNew(Entry.of(ctx.taskKey(), order.orderId(), "approval"))) booking.askApprover(order.orderId());
                return null;
            });
        }
    }

    /** Books the money once, however often it runs: the task's key is the same in every attempt. */
    @ActivityName("charge")
    public record Charge(Shop shop) implements Activity<Order, Void> {
        @Override
        public Void run(ActivityContext ctx, Order order) {
            boolean fails = (37 * order.number() + 5 * ctx.attempt()) % 100 < 12;
            boolean declined = order.card().endsWith("00");
            shop.book(booking -> {
                booking.isNew(Entry.of(ctx.taskKey() + "/" + ctx.attempt(), order.orderId(), "attempt"));
                if (!declined && (!fails || order.number() % 2 == 1)) {
                    booking.isNew(Entry.of(ctx.taskKey(), order.orderId(), "charged").cents(order.totalCents()));
                }
                return null;
            });
            if (fails) {
                throw new GatewayUnavailable("no answer from the gateway for " + order.orderId() + ", attempt " + ctx.attempt());
            }
            if (declined) throw new CardDeclined(order.orderId() + ": the bank declines the card");
            return null;
        }
    }

    @ActivityName("ship")
    public record Ship(Shop shop) implements Activity<Order, Void> {
        @Override
        public Void run(ActivityContext ctx, Order order) {
            var entry = Entry.of(ctx.taskKey(), order.orderId(), "shipped").units(order.sku(), order.quantity());
            shop.book(booking -> booking.isNew(entry));
            return null;
        }
    }

    @ActivityName("notify")
    public record Notify(Shop shop) implements Activity<Receipt, Void> {
        @Override
        public Void run(ActivityContext ctx, Receipt receipt) {
            var entry = Entry.of(ctx.taskKey(), receipt.orderId(), "ended");
            shop.book(booking -> booking.isNew(entry.cents(receipt.chargedCents()).detail(receipt.outcome())));
            return null;
        }
    }
}
