// The seven operations of `DaprClient`, as Dapr's guide shows them.

import type { Client } from "../client.js"
import { InvalidArgumentError } from "../errors.js"
import { RawPayload } from "../payload.js"
import { CommunicationProtocolEnum, connect } from "./connection.js"
import type { LoggerOptions } from "./logger.js"

/** What is said of a `DaprClient`. */
export type DaprClientOptions = {
  /** The host of a Dapr sidecar; with a scheme, `https://`, for TLS. */
  daprHost: string
  /** The port of its API. */
  daprPort: string
  /** Default: HTTP. */
  communicationProtocol: CommunicationProtocolEnum
  /** Has no effect: connections are kept. */
  isKeepAlive?: boolean | undefined
  /** Has no effect: this client says nothing. */
  logger?: LoggerOptions | undefined
  /** Has no effect: there are no actors. */
  actor?: unknown
  /** Default: `DAPR_API_TOKEN`. */
  daprApiToken?: string | undefined
  /** The largest input or event, in megabytes. Default: 4. */
  maxBodySizeMb?: number | undefined
}

/** What a start may be told. */
export type WorkflowStartOptions = {
  /** With a type that is not JSON, a string is sent as it stands. */
  contentType?: string | undefined
  /** Dapr's options of a workflow component. */
  workflowOptions?: Readonly<Record<string, string>> | undefined
}

/** What raising an event may be told. */
export type WorkflowRaiseOptions = {
  /** With a type that is not JSON, a string is sent as it stands. */
  eventContentType?: string | undefined
}

/** The state of an instance. */
export type WorkflowGetResponseType = {
  instanceID: string
  workflowName: string
  createdAt: Date
  lastUpdatedAt: Date
  /** Where it stands, for example `RUNNING`. */
  runtimeStatus: string
  /** Dapr's properties: the texts of input, output, custom status and failure. */
  properties: Readonly<Record<string, string>>
}

/** The workflows of a `DaprClient`. Operations reject with everstep's errors. */
export class DaprClientWorkflow {
  readonly #client: Client

  /** @internal */
  constructor(client: Client) {
    this.#client = client
  }

  /** Starts a workflow by its registered name; gives its instance ID. Rejects with `AlreadyExistsError`. */
  async start(
    workflowName: string,
    input?: unknown,
    instanceId?: string,
    options: WorkflowStartOptions = {},
  ): Promise<string> {
    const name = given(workflowName, "workflowName")
    const started = await this.#client.startWorkflow(name, payload(input, options.contentType), {
      component: "dapr",
      instanceId: instanceId || undefined,
      options: options.workflowOptions,
    })
    return started.instanceId
  }

  /** The state of an instance. Rejects with `NotFoundError`. */
  async get(instanceID: string): Promise<WorkflowGetResponseType> {
    const state = await this.#client.getWorkflow(given(instanceID, "instanceID"), { component: "dapr" })
    return {
      instanceID: state.instanceId,
      workflowName: state.name,
      createdAt: state.createdAt,
      lastUpdatedAt: state.lastUpdatedAt,
      runtimeStatus: state.runtimeStatus,
      properties: state.properties,
    }
  }

  /** Raises an event to an instance. Rejects with `NotFoundError`. */
  async raise(
    instanceId: string,
    eventName: string,
    eventData?: unknown,
    options: WorkflowRaiseOptions = {},
  ): Promise<void> {
    const [id, name] = [given(instanceId, "instanceID"), given(eventName, "eventName")]
    await this.#client.raiseWorkflowEvent(id, name, payload(eventData, options.eventContentType), { component: "dapr" })
  }

  /** Ends an instance and its children. Rejects with `NotFoundError`. */
  async terminate(instanceId: string): Promise<void> {
    await this.#client.terminateWorkflow(given(instanceId, "instanceID"), { component: "dapr" })
  }

  /** Pauses an instance. Rejects with `NotFoundError`. */
  async pause(instanceId: string): Promise<void> {
    await this.#client.pauseWorkflow(given(instanceId, "instanceID"), { component: "dapr" })
  }

  /** Resumes a paused instance. Rejects with `NotFoundError`. */
  async resume(instanceId: string): Promise<void> {
    await this.#client.resumeWorkflow(given(instanceId, "instanceID"), { component: "dapr" })
  }

  /** Deletes a finished instance and its children. Rejects with `NotFoundError`, `FailedPreconditionError`. */
  async purge(instanceId: string): Promise<void> {
    await this.#client.purgeWorkflow(given(instanceId, "instanceID"), { component: "dapr" })
  }

  // Their newer names.

  /** The same as `start`. */
  scheduleNewWorkflow(
    workflowName: string,
    input?: unknown,
    instanceId?: string,
    options: WorkflowStartOptions = {},
  ): Promise<string> {
    return this.start(workflowName, input, instanceId, options)
  }

  /** The same as `get`. */
  getWorkflowState(instanceID: string): Promise<WorkflowGetResponseType> {
    return this.get(instanceID)
  }

  /** The same as `raise`. */
  raiseEvent(
    instanceId: string,
    eventName: string,
    eventData?: unknown,
    options: WorkflowRaiseOptions = {},
  ): Promise<void> {
    return this.raise(instanceId, eventName, eventData, options)
  }
}

/**
 * Starts workflows, controls them and asks about them, in the words of Dapr's guide: `client.workflow`.
 *
 * `daprHost` and `daprPort` are those of a Dapr sidecar; without them workflows are where an everstep client finds them.
 * What else the official client can do, invoking methods, state, publishing, is not here; use both.
 */
export class DaprClient {
  /** What the client was told, with the defaults. */
  readonly options: DaprClientOptions
  /** The workflows. */
  readonly workflow: DaprClientWorkflow
  readonly #client: Client
  readonly #told: Partial<DaprClientOptions>
  #started = false

  constructor(options: Partial<DaprClientOptions> = {}) {
    const { maxBodySizeMb, communicationProtocol = CommunicationProtocolEnum.HTTP } = options
    if (options.daprPort && !/^[0-9]+$/.test(options.daprPort)) {
      throw new InvalidArgumentError("DAPR_INCORRECT_SIDECAR_PORT: daprPort must be digits")
    }
    const longest =
      maxBodySizeMb === undefined ? {} : { "grpc.max_send_message_length": Math.ceil(maxBodySizeMb * 2 ** 20) }
    this.#client = connect({ ...options, grpcOptions: longest }, communicationProtocol)
    const { hostname = "", port = "" } = URL.canParse(this.#client.endpoint) ? new URL(this.#client.endpoint) : {}
    this.#told = options
    this.options = { ...options, daprHost: hostname, daprPort: port, communicationProtocol }
    this.workflow = new DaprClientWorkflow(this.#client)
  }

  /** A client that is told the same as another. */
  static create(client: DaprClient): DaprClient {
    return new DaprClient(client.#told)
  }

  /** Nothing need be waited for: calls find the sidecar themselves. */
  async start(): Promise<void> {
    this.#started = true
  }

  /** Whether `start` was called. */
  getIsInitialized(): boolean {
    return this.#started
  }

  /** Gives back what the client holds. */
  async stop(): Promise<void> {
    this.#started = false
    await this.#client.close()
  }
}

function given(value: string, name: string): string {
  if (!value) throw new InvalidArgumentError(`${name} is required`)
  return value
}

function payload(value: unknown, contentType: string | undefined): unknown {
  const isJson = contentType === undefined || /[/+]json\b/.test(contentType)
  return typeof value === "string" && !isJson ? new RawPayload(value) : value
}
