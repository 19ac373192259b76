package orders;

/** What the approver says; the data of the event of that name. */
public record Approval(boolean approved) {}
