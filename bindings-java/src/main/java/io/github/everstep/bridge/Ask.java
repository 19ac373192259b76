package io.github.everstep.bridge;

import io.github.everstep.ffi.NativeClient;
import io.github.everstep.ffi.NativeReply;

/** Makes a native call, whose answer comes under the key. */
@FunctionalInterface
public interface Ask {
    /** Makes the call; it returns at once. */
    NativeReply submit(NativeClient client, long key);
}
