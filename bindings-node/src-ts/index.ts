// everstep: durable workflows in plain async TypeScript.

export { ActivityContext } from "./activities.js"
export type { Criteria } from "./arguments.js"
export { Client } from "./client.js"
export { Codec } from "./codecs.js"
export {
  type ActivityOptions,
  type ChildOptions,
  type DetachedOptions,
  type EventOptions,
  type First,
  type MapOptions,
  type NamedActivityOptions,
  type NamedChildOptions,
  WorkflowContext,
  type WorkflowLogger,
} from "./context.js"
export {
  Activity,
  type ActivityFunction,
  activity,
  type Schemas,
  Workflow,
  type WorkflowFunction,
  type WorkflowOptions,
  workflow,
} from "./definitions.js"
export {
  ActivityError,
  ActivityNotRegisteredError,
  AlreadyExistsError,
  ChildWorkflowError,
  ClosedError,
  DecodeError,
  type ErrorDetails,
  EverstepError,
  errorClasses,
  FailedPreconditionError,
  ForkedError,
  InternalError,
  InvalidArgumentError,
  NonDurableError,
  NonRetryableError,
  NotFoundError,
  OperationCancelledError,
  OperationNotImplementedError,
  OperationTimeoutError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RemoteError,
  ResourceExhaustedError,
  StoreCorruptError,
  StoreLockedError,
  StoreVersionError,
  UnauthenticatedError,
  UnavailableError,
  WaitTimeout,
  WorkflowEvicted,
  WorkflowFailedError,
  WorkflowNotRegisteredError,
  WorkflowStalledError,
  WorkflowTerminatedError,
} from "./errors.js"
export { Failure } from "./failure.js"
export { WorkflowHandle } from "./handle.js"
export { type DiagramOptions, type EventAttributes, History, HistoryEvent } from "./history.js"
export { DurablePromise } from "./host/promises.js"
export { isTerminal, RuntimeStatus, Timestamp, WorkflowState } from "./models.js"
export type {
  CallOptions,
  ClientOptions,
  ListOptions,
  ManyOptions,
  RerunOptions,
  RunOptions,
  StartOptions,
  StateOptions,
  WaitOptions,
} from "./options.js"
export { RawPayload } from "./payload.js"
export type { Retry } from "./retry.js"
export type { SchemaIssue, SchemaResult, StandardSchema } from "./schemas.js"
export { Worker, type WorkerOptions } from "./worker.js"
