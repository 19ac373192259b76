// The state of an instance, as Dapr's SDK has it.

import type { WorkflowState as EverstepState } from "../models.js"
import { WorkflowRuntimeStatus } from "./status.js"
import { detailsOf, type FailureDetails } from "./task.js"

/** What a workflow failed with. */
export class WorkflowFailureDetails {
  readonly #details: FailureDetails

  constructor(failureDetails: FailureDetails) {
    this.#details = failureDetails
  }

  /** The name of the type that was thrown. */
  getErrorType(): string {
    return this.#details.errorType
  }

  getErrorMessage(): string {
    return this.#details.message
  }

  getStackTrace(): string | undefined {
    return this.#details.stackTrace
  }
}

/** The state of an instance. Payloads are text, as they are stored. */
export class WorkflowState {
  readonly #state: EverstepState
  readonly #failure: WorkflowFailureDetails | undefined

  /** @internal */
  constructor(state: EverstepState) {
    this.#state = state
    if (state.failure !== undefined) this.#failure = new WorkflowFailureDetails(detailsOf(state.failure))
  }

  /** The workflow's registered name. */
  get name(): string {
    return this.#state.name
  }

  get instanceId(): string {
    return this.#state.instanceId
  }

  /** Where it stands; `UNKNOWN` for what has no name here. */
  get runtimeStatus(): WorkflowRuntimeStatus {
    return WorkflowRuntimeStatus[this.#state.runtimeStatus]
  }

  get createdAt(): Date {
    return this.#state.createdAt
  }

  get lastUpdatedAt(): Date {
    return this.#state.lastUpdatedAt
  }

  /** The input's text, unless payloads were not asked for. */
  get serializedInput(): string | undefined {
    return this.#state.rawInput || undefined
  }

  /** The output's text, unless payloads were not asked for. */
  get serializedOutput(): string | undefined {
    return this.#state.rawOutput || undefined
  }

  /** What it failed with, if it did. */
  get workflowFailureDetails(): WorkflowFailureDetails | undefined {
    return this.#failure
  }

  /** The custom status's text, if there is any. */
  get customStatus(): string | undefined {
    return this.#state.rawCustomStatus || undefined
  }
}
