package io.github.everstep.host;

import java.util.random.RandomGenerator;

/** Random numbers that are the same at every replay, and in every language. */
public final class SplitMix64 implements RandomGenerator {
    private final Runnable check;
    private long state;

    /** Begins at a seed; {@code check} runs before each number. */
    public SplitMix64(long seed, Runnable check) {
        this.state = seed;
        this.check = check;
    }

    @Override
    public long nextLong() {
        check.run();
        state += 0x9e3779b97f4a7c15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
