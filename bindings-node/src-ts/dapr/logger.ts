// What the clients and runtimes of this module have to say.

/** How much is logged. */
export enum LogLevel {
  Error = 0,
  Warn = 1,
  Info = 2,
  Verbose = 3,
  Debug = 4,
}

/** What logs. */
export interface LoggerService {
  error(message: unknown, ...optionalParams: unknown[]): void
  warn(message: unknown, ...optionalParams: unknown[]): void
  info(message: unknown, ...optionalParams: unknown[]): void
  verbose(message: unknown, ...optionalParams: unknown[]): void
  debug(message: unknown, ...optionalParams: unknown[]): void
}

/** How something logs. */
export type LoggerOptions = {
  /** Default: `LogLevel.Warn`. */
  level?: LogLevel | undefined
  /** Default: a `ConsoleLoggerService`. */
  service?: LoggerService | undefined
}

/** Logs to the console, with the time. */
export class ConsoleLoggerService implements LoggerService {
  error(message: unknown, ...optionalParams: unknown[]): void {
    console.error(`${now()} ERROR ${message}`, ...optionalParams)
  }

  warn(message: unknown, ...optionalParams: unknown[]): void {
    console.warn(`${now()} WARN ${message}`, ...optionalParams)
  }

  info(message: unknown, ...optionalParams: unknown[]): void {
    console.info(`${now()} INFO ${message}`, ...optionalParams)
  }

  verbose(message: unknown, ...optionalParams: unknown[]): void {
    console.log(`${now()} VERBOSE ${message}`, ...optionalParams)
  }

  debug(message: unknown, ...optionalParams: unknown[]): void {
    console.debug(`${now()} DEBUG ${message}`, ...optionalParams)
  }
}

function now(): string {
  return new Date().toISOString()
}

/** @internal */
export class Logger {
  readonly #area: string
  readonly #level: LogLevel
  readonly #service: LoggerService

  constructor(area: string, options: LoggerOptions | undefined) {
    this.#area = area
    this.#level = options?.level ?? LogLevel.Warn
    this.#service = options?.service ?? new ConsoleLoggerService()
  }

  error(message: string): void {
    if (this.#level >= LogLevel.Error) this.#service.error(`[everstep, ${this.#area}] ${message}`)
  }

  warn(message: string): void {
    if (this.#level >= LogLevel.Warn) this.#service.warn(`[everstep, ${this.#area}] ${message}`)
  }

  info(message: string): void {
    if (this.#level >= LogLevel.Info) this.#service.info(`[everstep, ${this.#area}] ${message}`)
  }
}
