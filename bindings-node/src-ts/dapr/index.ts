// everstep/dapr: the names of Dapr's JavaScript SDK for workflows, as thin aliases. Nothing of that SDK is imported.

export {
  DaprClient,
  type DaprClientOptions,
  DaprClientWorkflow,
  type WorkflowGetResponseType,
  type WorkflowRaiseOptions,
  type WorkflowStartOptions,
} from "./client.js"
export { CommunicationProtocolEnum, type WorkflowClientOptions } from "./connection.js"
export {
  type TInput,
  type TOutput,
  type TWorkflow,
  type TWorkflowActivity,
  WorkflowActivityContext,
  WorkflowContext,
} from "./context.js"
export { ConsoleLoggerService, type LoggerOptions, type LoggerService, LogLevel } from "./logger.js"
export { WorkflowRuntime } from "./runtime.js"
export { WorkflowFailureDetails, WorkflowState } from "./state.js"
export { fromOrchestrationStatus, toOrchestrationStatus, WorkflowRuntimeStatus } from "./status.js"
export { FailureDetails, Task, TaskFailedError, WhenAllTask, WhenAnyTask } from "./task.js"
export { DaprWorkflowClient } from "./workflow-client.js"
