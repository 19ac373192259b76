package io.github.everstep;

/** What a listing may be told. Immutable. */
public final class ListOptions {
    private static final ListOptions NONE = new ListOptions(100, false);

    private final int pageSize;
    private final boolean payloads;

    private ListOptions(int pageSize, boolean payloads) {
        this.pageSize = pageSize;
        this.payloads = payloads;
    }

    /**
     * Nothing in particular.
     *
     * @return the options
     */
    public static ListOptions none() {
        return NONE;
    }

    /**
     * How many states are asked for at a time; without, 100.
     *
     * @param pageSize 1 to 1,000
     * @return the options
     */
    public static ListOptions pageSize(int pageSize) {
        return NONE.withPageSize(pageSize);
    }

    /**
     * How many states are asked for at a time; without, 100.
     *
     * @param pageSize 1 to 1,000
     * @return the options
     */
    public ListOptions withPageSize(int pageSize) {
        return new ListOptions(pageSize, payloads);
    }

    /**
     * Whether input, output and the like come with each; without, they do not.
     *
     * @param payloads whether they do
     * @return the options
     */
    public static ListOptions payloads(boolean payloads) {
        return NONE.withPayloads(payloads);
    }

    /**
     * Whether input, output and the like come with each; without, they do not.
     *
     * @param payloads whether they do
     * @return the options
     */
    public ListOptions withPayloads(boolean payloads) {
        return new ListOptions(pageSize, payloads);
    }

    int pageSize() {
        return pageSize;
    }

    boolean payloads() {
        return payloads;
    }
}
