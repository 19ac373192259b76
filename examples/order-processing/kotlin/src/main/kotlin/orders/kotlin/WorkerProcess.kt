package orders.kotlin

import com.fasterxml.jackson.databind.ObjectMapper
import io.github.everstep.Client
import io.github.everstep.NotFoundException
import io.github.everstep.StartOptions
import io.github.everstep.Worker
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import orders.Approver
import orders.Arguments
import orders.Order
import orders.Receipt
import orders.Shop
import orders.Story

private const val IN_FLIGHT = 128
private val patience = Duration.ofSeconds(120)

/** The process that does the work, as the Java one beside it does. Prints the outcomes that the workflows returned. */
object WorkerProcess {
    @JvmStatic
    fun main(args: Array<String>) {
        val given = Arguments(args)
        val prefix = given.get("prefix", "")
        val orders = Story.rows("orders").take(given.get("orders").toInt())
            .map { Order.of(it, given.get("approval-seconds").toDouble()) }
        Shop(Path.of(given.get("shop"))).use { shop ->
            val activities = Activities(shop)
            val workflow = OrderProcessing(activities)
            Client.create().use { client ->
                Worker.builder(client).workflows(workflow).activities(*activities.all).start().use {
                    Approver(client, prefix, shop).use {
                        println(ObjectMapper().writeValueAsString(outcomes(client, prefix, orders)))
                    }
                }
            }
        }
    }

    private fun outcomes(client: Client, prefix: String, orders: List<Order>): Map<String, Int> =
        Executors.newFixedThreadPool(IN_FLIGHT, Thread.ofVirtual().factory()).use { places ->
            places.invokeAll(orders.map { Callable { place(client, prefix + it.orderId, it) } })
                .groupingBy { it.get().outcome }
                .eachCount()
        }

    /** Starts an order's workflow unless an earlier process did, and waits for its end. */
    private fun place(client: Client, instanceId: String, order: Order): Receipt {
        val handle = try {
            client.getWorkflow(instanceId)
            client.getHandle(instanceId, Receipt::class.java)
        } catch (unknown: NotFoundException) {
            client.startWorkflow(OrderProcessing::class.java, order, StartOptions.instanceId(instanceId))
        }
        return handle.result(patience)
    }
}
