package io.github.everstep.turns;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.everstep.Activity;
import io.github.everstep.Codec;
import io.github.everstep.JacksonCodec;
import io.github.everstep.Workflow;
import io.github.everstep.bridge.Payloads;
import io.github.everstep.host.Registration;
import io.github.everstep.host.TaskSource;
import io.github.everstep.host.WorkerHost;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A core that a test plays: batches go in as text, answers come out by the token of their task. */
final class ScriptedCore implements TaskSource, AutoCloseable {
    static final String TURN = "{\"kind\":\"turn\",\"now\":1000,\"replay\":false,\"patches\":[]}";
    static final String REPLAY = "{\"kind\":\"turn\",\"now\":1000,\"replay\":true,\"patches\":[]}";
    static final String EVICT = "{\"kind\":\"evict\",\"reason\":\"full\"}";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String END = "end";

    private final BlockingQueue<String> workflows = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> activities = new LinkedBlockingQueue<>();
    private final Map<String, BlockingQueue<JsonNode>> answers = new ConcurrentHashMap<>();
    private final WorkerHost host;
    /** Every text that came back, as it was. */
    final List<String> texts = Collections.synchronizedList(new ArrayList<>());

    ScriptedCore(Duration blockedAfter, List<? extends Workflow<?, ?>> workflows, List<? extends Activity<?, ?>> activities) {
        this(JacksonCodec.create(), blockedAfter, workflows, activities);
    }

    ScriptedCore(
            Codec codec,
            Duration blockedAfter,
            List<? extends Workflow<?, ?>> workflows,
            List<? extends Activity<?, ?>> activities) {
        host = new WorkerHost(
                workflows.stream().map(Registration::of).toList(),
                activities.stream().map(Registration::of).toList(),
                new Payloads(codec),
                blockedAfter);
        host.start(this, 256, 256);
    }

    ScriptedCore(Workflow<?, ?>... workflows) {
        this(Duration.ofSeconds(10), List.of(workflows), List.of());
    }

    static String start(String name) {
        return "{\"kind\":\"start\",\"name\":\"" + name + "\",\"seed\":\"1\"}";
    }

    static String done(int ref, String value) {
        return "{\"kind\":\"done\",\"ref\":" + ref + ",\"value\":" + value + "}";
    }

    static String failed(int ref, String code) {
        return "{\"kind\":\"failed\",\"ref\":" + ref + ",\"error\":{\"type\":\"Broken\",\"message\":\"m\",\"code\":\"" + code + "\"}}";
    }

    /** The text of a task whose token is its instance's ID, a dot and {@code number}. */
    static String task(String id, int number, String... jobs) {
        return "{\"t\":\"%s.%d\",\"id\":\"%s\",\"run\":\"run-%s\",\"jobs\":[%s]}"
                .formatted(id, number, id, id, String.join(",", jobs));
    }

    /** Hands out tasks in one batch. */
    void give(String... tasks) {
        workflows.add("{\"v\":1,\"batch\":\"b\",\"tasks\":[" + String.join(",", tasks) + "]}");
    }

    /** Hands out a call of an activity whose token is {@code call}. */
    void giveActivity(String call, String name, String input) {
        activities.add("{\"v\":1,\"batch\":\"b\",\"tasks\":[{\"t\":\"" + call + "\",\"name\":\"" + name + "\",\"input\":" + input
                + ",\"id\":\"i\",\"run\":\"r\",\"task\":3,\"attempt\":2,\"key\":\"k\"}],\"cancel\":[]}");
    }

    /** Tells that nobody waits for a call any more. */
    void cancelActivity(String call) {
        activities.add("{\"v\":1,\"batch\":\"b\",\"tasks\":[],\"cancel\":[\"" + call + "\"]}");
    }

    /** The answer to the task with this token, within 20 seconds. */
    JsonNode answer(String token) throws InterruptedException {
        var answer = queue(token).poll(30, TimeUnit.SECONDS);
        assertNotNull(answer, "an answer to " + token);
        return answer;
    }

    /** The last step of such an answer, as its commands. */
    JsonNode step(String token) throws InterruptedException {
        var answer = answer(token);
        var steps = answer.get("steps");
        assertNotNull(steps, () -> "steps in " + answer);
        return steps.get(steps.size() - 1);
    }

    /** The code of the stall that such an answer is. */
    String stall(String token) throws InterruptedException {
        return answer(token).path("stall").path("code").asText();
    }

    private BlockingQueue<JsonNode> queue(String token) {
        return answers.computeIfAbsent(token, any -> new LinkedBlockingQueue<>());
    }

    @Override
    public String pollWorkflows(int max) {
        return take(workflows);
    }

    @Override
    public String pollActivities(int max) {
        return take(activities);
    }

    private static String take(BlockingQueue<String> batches) {
        try {
            var batch = batches.take();
            return batch.equals(END) ? null : batch;
        } catch (InterruptedException error) {
            return null;
        }
    }

    @Override
    public String complete(ByteBuffer text) {
        var said = StandardCharsets.UTF_8.decode(text).toString();
        texts.add(said);
        try {
            var parsed = JSON.readTree(said);
            for (var key : List.of("turns", "activities")) {
                for (var answer : parsed.path(key)) queue(answer.get("t").asText()).add(answer);
            }
            return null;
        } catch (JsonProcessingException error) {
            return error.getMessage();
        }
    }

    @Override
    public void abandon() {
        workflows.add(END);
        activities.add(END);
    }

    /** Ends as the core does after a shutdown. */
    @Override
    public void close() throws InterruptedException {
        abandon();
        assertNotNull(host.closed().await(30, TimeUnit.SECONDS) ? host : null, "the host closes");
    }
}
