/** The ticket of a call that waits, or the answer of one that has ended. */
export type NativeReply<T> = number | NativeAnswer<T>
/** The answer of a call: a value, or an error. */
export interface NativeAnswer<T> {
  value?: T
  error?: NativeError
}
/** A call that has ended. */
export interface NativeEnded extends NativeAnswer<unknown> {
  ticket: number
}
