// Runs one workflow on the jars, with no other jar and a codec of its own; `scripts/release-packages` calls it where nothing of the
// tree is in reach.

import io.github.everstep.Activity;
import io.github.everstep.Client;
import io.github.everstep.Codec;
import io.github.everstep.Worker;
import io.github.everstep.Workflow;
import java.lang.reflect.Type;
import java.time.Duration;

class JvmSmoke {
    /** Whole numbers, and nothing else. */
    static final class Numbers implements Codec {
        @Override
        public String encode(Object value) {
            return String.valueOf(value);
        }

        @Override
        public Object decode(String text, Type type) {
            return Integer.valueOf(text);
        }
    }

    public static void main(String[] args) {
        var twice = Activity.of("double", Integer.class, Integer.class, (ctx, number) -> 2 * number);
        var twiceDoubled = Workflow.of("twice_doubled", Integer.class, Integer.class, (ctx, number) ->
                ctx.call(twice, ctx.call(twice, number).await()).await());
        try (var client = Client.builder().endpoint("memory:").codec(new Numbers()).build();
                var worker = Worker.builder(client).workflows(twiceDoubled).activities(twice).start()) {
            var result = client.startWorkflow(twiceDoubled, 5).result(Duration.ofSeconds(30));
            if (result != 20) throw new AssertionError("the workflow answered " + result + ", not 20");
        }
        System.out.println("everstep from the jars: ok");
    }
}
