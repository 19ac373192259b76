package io.github.everstep;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.everstep.bridge.NativeLibrary;
import io.github.everstep.ffi.EverstepJava;
import org.junit.jupiter.api.Test;

class NativeTest {
    @Test
    void theNativeLibraryHasTheVersionOfThePackage() {
        NativeLibrary.ensureLoaded();
        assertEquals(NativeLibrary.version(), EverstepJava.nativeVersion());
    }
}
