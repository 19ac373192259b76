package io.github.everstep.host;

import java.util.ArrayList;
import java.util.List;

/** A batch of tasks as it comes out of the core. */
final class Batch {
    /** A workflow task: jobs for one run of an instance. */
    record WorkflowTask(String token, String id, String run, List<Job> jobs) {}

    /** A call of an activity. */
    record ActivityTask(
            String token,
            String name,
            @Nullable String input,
            String id,
            String run,
            int task,
            int attempt,
            String key,
            long deadline) {
        /** A task without a deadline has this one. */
        static final long NO_DEADLINE = -1;
    }

    /** What the core has to tell whoever runs the program. */
    record Notice(String level, String text) {}

    final List<WorkflowTask> workflows = new ArrayList<>();
    final List<ActivityTask> activities = new ArrayList<>();
    /** The tokens of activities that nobody waits for any more. */
    final List<String> cancelled = new ArrayList<>();

    final List<Notice> notices = new ArrayList<>();

    private Batch() {}

    static Batch ofWorkflows(String text) {
        return read(text, false);
    }

    static Batch ofActivities(String text) {
        return read(text, true);
    }

    private static Batch read(String text, boolean areActivities) {
        var batch = new Batch();
        var json = new JsonReader(text);
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            switch (key) {
                case "tasks" -> {
                    json.array();
                    while (json.item()) {
                        if (areActivities) batch.activities.add(activityTask(json));
                        else batch.workflows.add(workflowTask(json));
                    }
                }
                case "cancel" -> {
                    json.array();
                    while (json.item()) batch.cancelled.add(json.string());
                }
                case "notices" -> {
                    json.array();
                    while (json.item()) batch.notices.add(notice(json));
                }
                default -> json.skip();
            }
        }
        return batch;
    }

    private static WorkflowTask workflowTask(JsonReader json) {
        String token = "";
        String id = "";
        String run = "";
        var jobs = new ArrayList<Job>(4);
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            switch (key) {
                case "t" -> token = json.string();
                case "id" -> id = json.string();
                case "run" -> run = json.string();
                case "jobs" -> {
                    json.array();
                    while (json.item()) jobs.add(Job.read(json));
                }
                default -> json.skip();
            }
        }
        return new WorkflowTask(token, id, run, jobs);
    }

    private static ActivityTask activityTask(JsonReader json) {
        String token = "";
        String name = "";
        String input = null;
        String id = "";
        String run = "";
        String callKey = "";
        int task = 0;
        int attempt = 1;
        long deadline = ActivityTask.NO_DEADLINE;
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            switch (key) {
                case "t" -> token = json.string();
                case "name" -> name = json.string();
                case "input" -> input = json.raw();
                case "input_text" -> input = json.string();
                case "id" -> id = json.string();
                case "run" -> run = json.string();
                case "key" -> callKey = json.string();
                case "task" -> task = (int) json.integer();
                case "attempt" -> attempt = (int) json.integer();
                case "deadline" -> deadline = json.integer();
                default -> json.skip();
            }
        }
        return new ActivityTask(token, name, input, id, run, task, attempt, callKey, deadline);
    }

    private static Notice notice(JsonReader json) {
        String level = "error";
        String text = "";
        json.object();
        for (String key = json.key(); key != null; key = json.key()) {
            switch (key) {
                case "level" -> level = json.string();
                case "text" -> text = json.string();
                default -> json.skip();
            }
        }
        return new Notice(level, text);
    }
}
