// Where the clients and runtimes of this module connect to.

import { Client } from "../client.js"
import { InvalidArgumentError, OperationNotImplementedError } from "../errors.js"
import type { ClientOptions } from "../options.js"
import type { LoggerOptions } from "./logger.js"

/** What is said of a connection. */
export type WorkflowClientOptions = {
  /** The host of a Dapr sidecar; with a scheme, `https://`, for TLS. */
  daprHost: string
  /** The port of its gRPC API. */
  daprPort: string
  logger?: LoggerOptions | undefined
  /** Default: `DAPR_API_TOKEN`. */
  daprApiToken?: string | undefined
  /** Message sizes are taken from these; the others concern a gRPC library that is not there. */
  grpcOptions?: Readonly<Record<string, unknown>> | undefined
}

/** The protocol that `DaprClient` speaks with a sidecar. */
export enum CommunicationProtocolEnum {
  GRPC = 0,
  HTTP = 1,
}

// Every client of its own engine: a runtime and its clients would not meet.
const ALONE = ["memory:", "test:"]
const SHARED = "dapr"
const ADDRESS = /^(?:(?<scheme>[a-z]+):\/\/|dns:)?(?<place>[^?/]+?)(?::(?<port>\d+))?\/?(?:\?tls=(?<tls>true|false))?$/

/** @internal A client for these options, on the sidecar that they name, else where a client finds workflows. */
export function connect(
  options: Partial<WorkflowClientOptions>,
  protocol: CommunicationProtocolEnum = CommunicationProtocolEnum.GRPC,
): Client {
  const more: ClientOptions = {}
  if (options.daprApiToken) more.apiToken = options.daprApiToken
  const longest = longestMessage(options.grpcOptions)
  // A message may be longer than its payload, so every message of that length is taken.
  if (longest > 0) more.maxPayloadBytes = longest
  const endpoint = endpointOf(options, protocol)
  const interceptors = options.grpcOptions?.["interceptors"]
  if (Array.isArray(interceptors) && interceptors.length > 0) {
    throw new OperationNotImplementedError(
      "gRPC interceptors cannot be called here, since the calls are not made in JavaScript; a token is set by daprApiToken",
    )
  }
  return new Client(endpoint, more)
}

/** @internal The endpoint that these options name, if they name one. Throws `InvalidArgumentError`. */
export function endpointOf(
  options: Partial<WorkflowClientOptions>,
  protocol: CommunicationProtocolEnum,
): string | undefined {
  const { daprHost, daprPort } = options
  if (!daprHost && !daprPort) {
    const given = process.env["EVERSTEP_ENDPOINT"] ?? ""
    return ALONE.includes(given) ? given + SHARED : undefined
  }
  const isHttp = protocol === CommunicationProtocolEnum.HTTP
  const port = daprPort || (isHttp ? process.env["DAPR_HTTP_PORT"] || 3500 : process.env["DAPR_GRPC_PORT"] || 50001)
  const host = daprHost || process.env["DAPR_RUNTIME_HOST"] || "127.0.0.1"
  const found = ADDRESS.exec(daprHost && /:\d+\/?$/.test(host) ? host : `${host}:${port}`)?.groups
  const scheme = found?.["scheme"]
  if (found === undefined || ![undefined, "dns", "http", "https", "grpc", "grpcs"].includes(scheme)) {
    throw new InvalidArgumentError(
      `${JSON.stringify(`${host}:${port}`)} is no address of a sidecar; give daprHost and daprPort`,
    )
  }
  const tls = scheme === "https" || scheme === "grpcs" || found["tls"] === "true"
  return `${isHttp ? "http" : "grpc"}${tls ? "s" : ""}://${found["place"]}:${found["port"]}`
}

function longestMessage(options: Readonly<Record<string, unknown>> = {}): number {
  const sizes = ["grpc.max_receive_message_length", "grpc.max_send_message_length"].map((name) =>
    Number(options[name] ?? 0),
  )
  return Math.max(...sizes)
}
