package orders.kotlin

import io.github.everstep.ActivityFailedException
import io.github.everstep.CallOptions
import io.github.everstep.Retry
import io.github.everstep.WaitTimeoutException
import io.github.everstep.Workflow
import io.github.everstep.WorkflowContext
import io.github.everstep.WorkflowName
import java.time.Duration
import kotlin.math.roundToLong
import orders.Approval
import orders.Order
import orders.Receipt

private const val APPROVAL_LIMIT_CENTS = 100_000
private const val SHIPPED = "shipped"

private val paymentRetry = Retry.maxAttempts(5)
    .withFirstInterval(Duration.ofMillis(50))
    .withBackoff(2.0)
    .withMaxInterval(Duration.ofSeconds(1))

/** The order workflow; [shop] are its activities. The rules are those of the story. */
@WorkflowName("OrderProcessingWorkflow")
class OrderProcessing(private val shop: Activities) : Workflow<Order, Receipt> {
    override fun run(ctx: WorkflowContext, order: Order): Receipt {
        val outcome = fulfil(ctx, order)
        val receipt = Receipt(order.orderId, outcome, if (outcome == SHIPPED) order.totalCents else 0)
        ctx.call(shop.notify, receipt).await()
        return receipt
    }

    /** Takes an order as far as it goes and says where that was. */
    private fun fulfil(ctx: WorkflowContext, order: Order): String {
        if (!ctx.call(shop.checkStock, order).await() || !ctx.call(shop.reserve, order).await()) return "out_of_stock"
        if (order.totalCents > APPROVAL_LIMIT_CENTS) {
            askApprover(ctx, order)?.let { refusal ->
                ctx.call(shop.release, order).await()
                return refusal
            }
        }
        try {
            ctx.call(shop.charge, order, CallOptions.retry(paymentRetry)).await()
        } catch (error: ActivityFailedException) {
            if (!error.isCausedBy(CardDeclined::class.java)) throw error
            ctx.call(shop.release, order).await()
            return "card_declined"
        }
        ctx.call(shop.ship, order).await()
        return SHIPPED
    }

    /** Waits for the approver's event; gives the refusal, if there is one. A missing answer is a refusal. */
    private fun askApprover(ctx: WorkflowContext, order: Order): String? {
        ctx.call(shop.requestApproval, order).await()
        val patience = Duration.ofMillis((order.approvalSeconds * 1000).roundToLong())
        return try {
            val approval = ctx.waitForEvent("approval", Approval::class.java, patience).await()
            if (approval.approved) null else "approval_declined"
        } catch (late: WaitTimeoutException) {
            "approval_timed_out"
        }
    }
}
