package io.github.everstep.dapr;

import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * What a context logs with: the methods of SLF4J that programs use, on the platform's own {@link System.Logger}, which
 * goes wherever the program has it go. A workflow's logger is silent while replaying.
 */
public final class Logger {
    private final System.Logger logger;

    Logger(System.Logger logger) {
        this.logger = logger;
    }

    /**
     * Its name.
     *
     * @return the name
     */
    public String getName() {
        return logger.getName();
    }

    /**
     * Logs what only somebody in search of a fault wants to read, in detail.
     *
     * @param format the text, with {@code {}} where arguments go
     * @param arguments the arguments; a last one that is an exception is logged as such
     */
    public void trace(String format, @Nullable Object... arguments) {
        log(Level.TRACE, format, arguments);
    }

    /**
     * Logs what only somebody in search of a fault wants to read.
     *
     * @param format the text, with {@code {}} where arguments go
     * @param arguments the arguments; a last one that is an exception is logged as such
     */
    public void debug(String format, @Nullable Object... arguments) {
        log(Level.DEBUG, format, arguments);
    }

    /**
     * Logs what happens.
     *
     * @param format the text, with {@code {}} where arguments go
     * @param arguments the arguments; a last one that is an exception is logged as such
     */
    public void info(String format, @Nullable Object... arguments) {
        log(Level.INFO, format, arguments);
    }

    /**
     * Logs what somebody should look at.
     *
     * @param format the text, with {@code {}} where arguments go
     * @param arguments the arguments; a last one that is an exception is logged as such
     */
    public void warn(String format, @Nullable Object... arguments) {
        log(Level.WARNING, format, arguments);
    }

    /**
     * Logs what went wrong.
     *
     * @param format the text, with {@code {}} where arguments go
     * @param arguments the arguments; a last one that is an exception is logged as such
     */
    public void error(String format, @Nullable Object... arguments) {
        log(Level.ERROR, format, arguments);
    }

    private void log(Level level, String format, @Nullable Object... arguments) {
        if (!logger.isLoggable(level)) {
            return;
        }
        var text = new StringBuilder();
        int from = 0;
        int used = 0;
        for (int at; used < arguments.length && (at = format.indexOf("{}", from)) >= 0; from = at + 2) {
            text.append(format, from, at).append(arguments[used++]);
        }
        text.append(format, from, format.length());
        boolean thrown = used < arguments.length && arguments[arguments.length - 1] instanceof Throwable;
        logger.log(level, text.toString(), thrown ? (Throwable) arguments[arguments.length - 1] : null);
    }
}
