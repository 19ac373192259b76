package orders;

import io.github.everstep.ActivityFailedException;
import io.github.everstep.CallOptions;
import io.github.everstep.Retry;
import io.github.everstep.WaitTimeoutException;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import io.github.everstep.WorkflowName;
import java.time.Duration;
import orders.Activities.CardDeclined;
import orders.Activities.Charge;
import orders.Activities.CheckStock;
import orders.Activities.Notify;
import orders.Activities.Release;
import orders.Activities.RequestApproval;
import orders.Activities.Reserve;
import orders.Activities.Ship;

/** The order workflow. The rules are those of the story. */
@WorkflowName("OrderProcessingWorkflow")
public final class OrderProcessing implements Workflow<Order, Receipt> {
    private static final long APPROVAL_LIMIT_CENTS = 100_000;
    private static final String SHIPPED = "shipped";
    private static final String OUT_OF_STOCK = "out_of_stock";
    private static final String CARD_DECLINED = "card_declined";
    private static final String APPROVAL_DECLINED = "approval_declined";
    private static final String APPROVAL_TIMED_OUT = "approval_timed_out";

    private static final Retry PAYMENT_RETRY = Retry.maxAttempts(5)
            .withFirstInterval(Duration.ofMillis(50))
            .withBackoff(2)
            .withMaxInterval(Duration.ofSeconds(1));

    @Override
    public Receipt run(WorkflowContext ctx, Order order) {
        var outcome = fulfil(ctx, order);
        var receipt = new Receipt(order.orderId(), outcome, outcome.equals(SHIPPED) ? order.totalCents() : 0);
        ctx.call(Notify.class, receipt).await();
        return receipt;
    }

    /** Takes an order as far as it goes and says where that was. A workflow may call plain methods like this one. */
    private static String fulfil(WorkflowContext ctx, Order order) {
        if (!ctx.call(CheckStock.class, order).await() || !ctx.call(Reserve.class, order).await()) return OUT_OF_STOCK;
        if (order.totalCents() > APPROVAL_LIMIT_CENTS) {
            var refusal = askApprover(ctx, order);
            if (refusal != null) {
                ctx.call(Release.class, order).await();
                return refusal;
            }
        }
        try {
            ctx.call(Charge.class, order, CallOptions.retry(PAYMENT_RETRY)).await();
        } catch (ActivityFailedException error) {
            if (!error.isCausedBy(CardDeclined.class)) throw error;
            ctx.call(Release.class, order).await();
            return CARD_DECLINED;
        }
        ctx.call(Ship.class, order).await();
        return SHIPPED;
    }

    /** Waits for the approver's event; gives the refusal, or null if there is none. A missing answer is a refusal. */
    private static String askApprover(WorkflowContext ctx, Order order) {
        ctx.call(RequestApproval.class, order).await();
        var patience = Duration.ofMillis(Math.round(order.approvalSeconds() * 1000));
        try {
            return ctx.waitForEvent("approval", Approval.class, patience).await().approved() ? null : APPROVAL_DECLINED;
        } catch (WaitTimeoutException late) {
            return APPROVAL_TIMED_OUT;
        }
    }
}
