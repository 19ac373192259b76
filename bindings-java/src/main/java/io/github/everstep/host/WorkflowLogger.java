package io.github.everstep.host;

import java.util.ResourceBundle;

/** A logger that is silent while the workflow replays, and after its end. */
final class WorkflowLogger implements System.Logger {
    private final System.Logger logger;
    private final Execution execution;

    WorkflowLogger(System.Logger logger, Execution execution) {
        this.logger = logger;
        this.execution = execution;
    }

    @Override
    public String getName() {
        return logger.getName();
    }

    @Override
    public boolean isLoggable(Level level) {
        return execution.isAlive() && !execution.turn.replay() && logger.isLoggable(level);
    }

    @Override
    public void log(
            Level level, @Nullable ResourceBundle bundle, @Nullable String message, @Nullable Throwable thrown) {
        if (isLoggable(level)) logger.log(level, bundle, message, thrown);
    }

    @Override
    public void log(
            Level level, @Nullable ResourceBundle bundle, @Nullable String format, @Nullable Object @Nullable ... values) {
        if (isLoggable(level)) logger.log(level, bundle, format, values);
    }
}
