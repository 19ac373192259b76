package shop;

import io.github.everstep.Activity;
import io.github.everstep.ActivityContext;
import io.github.everstep.Client;
import io.github.everstep.StartOptions;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import io.github.everstep.WorkflowContext;
import java.time.Duration;
import java.util.List;

/** One workflow of two activities, on the endpoint that it is given. */
public final class Shop {
    /** Reserves an item. */
    public static final class Reserve implements Activity<String, String> {
        @Override
        public String run(ActivityContext ctx, String item) {
            return "reserved " + item;
        }
    }

    /** Ships an item. */
    public static final class Ship implements Activity<String, String> {
        @Override
        public String run(ActivityContext ctx, String item) {
            return "shipped " + item;
        }
    }

    /** Reserves and ships what was ordered. */
    public static final class Order implements Workflow<String, List<String>> {
        @Override
        public List<String> run(WorkflowContext ctx, String item) throws Exception {
            String reserved = ctx.call(Reserve.class, item).await();
            ctx.sleep(Duration.ofMillis(20));
            return List.of(reserved, ctx.call(Ship.class, item).await());
        }
    }

    public static void main(String[] args) {
        try (Client client = Client.create(args[0]);
                Worker worker = Worker.builder(client)
                        .workflows(new Order())
                        .activities(new Reserve(), new Ship())
                        .start()) {
            var handle = client.startWorkflow(Order.class, "lamp", StartOptions.instanceId("order-7"));
            System.out.println(handle.result(Duration.ofSeconds(30)));
        }
    }
}
