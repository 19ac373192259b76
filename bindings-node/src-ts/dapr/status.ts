// Where an instance stands, in the numbers of Dapr's SDK.

/** Where an instance stands. */
export enum WorkflowRuntimeStatus {
  RUNNING = 0,
  COMPLETED = 1,
  CONTINUED_AS_NEW = 2,
  FAILED = 3,
  CANCELED = 4,
  TERMINATED = 5,
  PENDING = 6,
  SUSPENDED = 7,
  STALLED = 8,
  /** What has no name here. */
  UNKNOWN = -1,
}

/** The status of a number of Dapr's protocol; `UNKNOWN` for one that has no name here. */
export function fromOrchestrationStatus(val: number): WorkflowRuntimeStatus {
  return val in WorkflowRuntimeStatus ? val : WorkflowRuntimeStatus.UNKNOWN
}

/** The number of a status in Dapr's protocol. */
export function toOrchestrationStatus(val: WorkflowRuntimeStatus): number {
  return val
}
