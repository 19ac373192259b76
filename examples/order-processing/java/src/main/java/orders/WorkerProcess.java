package orders;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.everstep.Client;
import io.github.everstep.NotFoundException;
import io.github.everstep.StartOptions;
import io.github.everstep.Worker;
import io.github.everstep.WorkflowHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The process that does the work: workflows, activities and approver. The demo kills it in mid-run.
 *
 * <p>Where the workflows run is not said here: the environment decides between a file of this process's own
 * (EVERSTEP_ENDPOINT) and a Dapr sidecar (DAPR_GRPC_PORT). It may be started again at any time, with the same command, until
 * it has gone through all orders: what is known already is only waited for. Prints the outcomes that the workflows returned,
 * as one line of JSON.
 */
public final class WorkerProcess {
    private static final int IN_FLIGHT = 128;
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private WorkerProcess() {}

    public static void main(String[] args) throws Exception {
        var given = new Arguments(args);
        int count = Integer.parseInt(given.get("orders"));
        double approvalSeconds = Double.parseDouble(given.get("approval-seconds"));
        var prefix = given.get("prefix", "");
        try (var shop = new Shop(Path.of(given.get("shop")));
                var client = Client.create();
                var worker = Worker.builder(client).workflows(new OrderProcessing()).activities(Activities.of(shop)).start();
                var approver = new Approver(client, prefix, shop);
                var places = Executors.newFixedThreadPool(IN_FLIGHT, Thread.ofVirtual().factory())) {
            var receipts = new ArrayList<Future<Receipt>>();
            for (var row : Story.rows("orders").subList(0, count)) {
                var order = Order.of(row, approvalSeconds);
                receipts.add(places.submit(() -> place(client, prefix, order)));
            }
            var outcomes = new TreeMap<String, Integer>();
            for (var receipt : receipts) outcomes.merge(receipt.get().outcome(), 1, Integer::sum);
            System.out.println(new ObjectMapper().writeValueAsString(outcomes));
        }
    }

    /**
     * Starts an order's workflow unless an earlier process did, and waits for its end.
     *
     * <p>Nobody else places these orders, so looking first is enough. Where several processes do, {@code Reuse.NEVER} makes
     * the engine decide; Dapr has it from 1.19 on.
     */
    private static Receipt place(Client client, String prefix, Order order) {
        var instanceId = prefix + order.orderId();
        WorkflowHandle<Receipt> handle;
        try {
            client.getWorkflow(instanceId);
            handle = client.getHandle(instanceId, Receipt.class);
        } catch (NotFoundException unknown) {
            handle = client.startWorkflow(OrderProcessing.class, order, StartOptions.instanceId(instanceId));
        }
        return handle.result(PATIENCE);
    }
}
