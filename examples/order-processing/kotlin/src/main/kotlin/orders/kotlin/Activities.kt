package orders.kotlin

import io.github.everstep.Activity
import io.github.everstep.ActivityContext
import io.github.everstep.NamedActivity
import io.github.everstep.NonRetryableException
import orders.Order
import orders.Receipt
import orders.Shop
import orders.Shop.Entry

/** The payment gateway did not answer: it may or may not have booked the money. Worth another attempt. */
class GatewayUnavailable(message: String) : RuntimeException(message)

/** The bank declines the card for good. */
class CardDeclined(message: String) : NonRetryableException(message)

/** The activities of the order workflow, as functions over a shop. */
class Activities(private val shop: Shop) {
    val checkStock = activity<Order, Boolean>("check_stock") { _, order -> shop.stock(order.sku) >= order.quantity }

    val reserve = activity<Order, Boolean>("reserve") { ctx, order ->
        val entry = Entry.of(ctx.taskKey(), order.orderId, "reserved").units(order.sku, order.quantity)
        shop.book { !it.isNew(entry) || it.takeStock(order.sku, order.quantity) }
    }

    val release = activity<Order, Boolean>("release") { ctx, order ->
        val entry = Entry.of(ctx.taskKey(), order.orderId, "released").units(order.sku, order.quantity)
        shop.book { booking -> booking.isNew(entry).also { if (it) booking.returnStock(order.sku, order.quantity) } }
    }

    val requestApproval = activity<Order, Boolean>("request_approval") { ctx, order ->
        val entry = Entry.of(ctx.taskKey(), order.orderId, "approval")
        shop.book { booking -> booking.isNew(entry).also { if (it) booking.askApprover(order.orderId) } }
    }

    /** Books the money once, however often it runs: the task's key is the same in every attempt. */
    val charge = activity<Order, Boolean>("charge") { ctx, order ->
        val fails = (37 * order.number() + 5 * ctx.attempt()) % 100 < 12
        val declined = order.card.endsWith("00")
        shop.book {
            it.isNew(Entry.of("${ctx.taskKey()}/${ctx.attempt()}", order.orderId, "attempt"))
            val booked = !declined && (!fails || order.number() % 2 == 1)
            booked && it.isNew(Entry.of(ctx.taskKey(), order.orderId, "charged").cents(order.totalCents))
        }
        if (fails) throw GatewayUnavailable("no answer from the gateway for ${order.orderId}, attempt ${ctx.attempt()}")
        if (declined) throw CardDeclined("${order.orderId}: the bank declines the card")
        true
    }

    val ship = activity<Order, Boolean>("ship") { ctx, order ->
        val entry = Entry.of(ctx.taskKey(), order.orderId, "shipped").units(order.sku, order.quantity)
        shop.book { it.isNew(entry) }
    }

    val notify = activity<Receipt, Boolean>("notify") { ctx, receipt ->
        val entry = Entry.of(ctx.taskKey(), receipt.orderId, "ended").cents(receipt.chargedCents).detail(receipt.outcome)
        shop.book { it.isNew(entry) }
    }

    val all = arrayOf<Activity<*, *>>(checkStock, reserve, release, requestApproval, charge, ship, notify)

    private inline fun <reified I : Any, reified O : Any> activity(
        name: String,
        noinline run: (ActivityContext, I) -> O,
    ): NamedActivity<I, O> = Activity.of(name, I::class.javaObjectType, O::class.javaObjectType, run)
}
