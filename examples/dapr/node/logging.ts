// Where a client and a runtime say what they do, and where they connect to.

import {
  ConsoleLoggerService,
  type DaprClientOptions,
  DaprWorkflowClient,
  type LoggerOptions,
  type LoggerService,
  LogLevel,
  type TWorkflow,
  WorkflowRuntime,
} from "everstep/dapr"

class Counting extends ConsoleLoggerService implements LoggerService {
  counts: Record<string, number> = {}

  override error = () => this.#count("error")
  override warn = () => this.#count("warn")
  override info = () => this.#count("info")
  override verbose = () => this.#count("verbose")
  override debug = () => this.#count("debug")

  #count(level: string): void {
    this.counts[level] = (this.counts[level] ?? 0) + 1
  }
}

const service = new Counting()
const logger: LoggerOptions = { level: LogLevel.Error, service }
const daprOptions: Partial<DaprClientOptions> = { logger, daprApiToken: "a-token-that-nobody-asks-for" }

const echo: TWorkflow = async (_, text: string) => text

async function main(): Promise<void> {
  const plain = new ConsoleLoggerService()
  plain.debug("everything goes to the console, with the time and the level")
  const { daprApiToken } = daprOptions
  const runtime = new WorkflowRuntime({ logger, daprApiToken: daprApiToken! })
  runtime.registerWorkflowWithName("echo", echo)
  await runtime.start()
  const client = new DaprWorkflowClient({ logger, daprApiToken: daprApiToken! })
  const id = await client.scheduleNewWorkflow("echo", "hello?")
  console.log((await client.waitForWorkflowCompletion(id, undefined, 30))?.serializedOutput)
  const levels = [LogLevel.Error, LogLevel.Warn, LogLevel.Info, LogLevel.Verbose, LogLevel.Debug]
  console.log(levels.map((level) => `${level} ${LogLevel[level]}`).join(", "))
  await client.stop()
  await runtime.stop()
  console.log("nothing is said of what goes well:", JSON.stringify(service.counts))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
