// The closed loop that everstep and its peers are measured in: so many callers, each of which begins again when it has got its
// result.

import { setTimeout as pause } from "node:timers/promises"

import { cpu } from "./given.mjs"

/**
 * Keeps `inFlight` calls open: lets them run for `warmUp` milliseconds, then counts for `seconds`, then lets them end. `call`
 * gives the number that five activities make of 1 (a 0 is lost on the way in Dapr's SDK); `begin` and `end` are called around the time that counts.
 */
export async function closedLoop({ call, inFlight, seconds, warmUp, begin = () => {}, end = () => {} }) {
  let open = true
  let finished = 0
  const caller = async () => {
    while (open) {
      const number = await call()
      if (number !== 6) throw new Error(`a workflow gave ${number} instead of 6`)
      finished += 1
    }
  }
  const callers = Promise.all(Array.from({ length: inFlight }, caller))
  await Promise.race([pause(warmUp), callers])
  begin()
  const [count, used, began] = [finished, cpu(), performance.now()]
  await Promise.race([pause(seconds * 1000), callers])
  const [done, spent, took] = [finished - count, cpu() - used, (performance.now() - began) / 1000]
  end()
  open = false
  await callers
  return { wf_per_s: done / took, cpu_us: spent / done, workflows: finished }
}
