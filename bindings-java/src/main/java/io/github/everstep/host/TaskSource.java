package io.github.everstep.host;

import java.nio.ByteBuffer;

/** Where a worker's tasks come from: the core, by the texts of the bridge protocol. */
public interface TaskSource {
    /** Waits on the calling thread for at most so many workflow tasks: a batch, an empty text for none, null at the end. */
    @Nullable String pollWorkflows(int max);

    /** The same for activities. */
    @Nullable String pollActivities(int max);

    /** Takes answers; says what was wrong with them as a whole, if anything was. The buffer is used again afterwards. */
    @Nullable String complete(ByteBuffer text);

    /** Ends soon, whatever is at work: nobody can do the tasks any more. */
    void abandon();
}
