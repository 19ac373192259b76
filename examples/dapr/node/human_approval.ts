// A person decides, or the time is over: an event against a timer.

import {
  DaprWorkflowClient,
  type Task,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from "everstep/dapr"

interface Order {
  cost: number
  product: string
  patient: boolean
}

// Activity function that sends an approval request to the manager
const sendApprovalRequest = async (_: WorkflowActivityContext, order: Order) => {
  console.log(`*** Requesting approval from user for order: ${order.product}`)
}

// Activity function that places an order
const placeOrder = async (_: WorkflowActivityContext, order: Order) => {
  console.log(`*** Placing order: ${order.product}`)
}

// Orchestrator function that represents a purchase order workflow
const purchaseOrderWorkflow: TWorkflow = async function* (ctx: WorkflowContext, order: Order): any {
  // Orders under 1000 are auto-approved
  if (order.cost < 1000) {
    return "Auto-approved"
  }

  // Orders of $1000 or more require manager approval
  yield ctx.callActivity(sendApprovalRequest, order)

  // Approvals must be received within 24 hours or they will be cancelled.
  const tasks: Task<any>[] = []
  const approvalEvent = ctx.waitForExternalEvent("approval_received")
  const timeoutEvent = ctx.createTimer(order.patient ? 24 * 60 * 60 : 0.2)
  tasks.push(approvalEvent)
  tasks.push(timeoutEvent)
  const winner = yield ctx.whenAny(tasks)

  if (winner === timeoutEvent) {
    return "Cancelled"
  }

  yield ctx.callActivity(placeOrder, order)
  const approvalDetails = approvalEvent.getResult()
  return `Approved by ${approvalDetails.approver}`
}

// Events wait for those who ask later; letters' case does not matter.
const survey: TWorkflow = async function* (ctx: WorkflowContext): any {
  const first = yield ctx.waitForExternalEvent("vote")
  const second = yield ctx.waitForExternalEvent("VOTE")
  const third = yield ctx.waitForExternalEvent("Vote")
  return [first, second, third]
}

async function start() {
  const workflowClient = new DaprWorkflowClient()
  const workflowRuntime = new WorkflowRuntime()
  workflowRuntime
    .registerWorkflow(purchaseOrderWorkflow)
    .registerWorkflow(survey)
    .registerActivity(sendApprovalRequest)
    .registerActivity(placeOrder)
  await workflowRuntime.start()

  const orders: [Order, unknown][] = [
    [{ cost: 20, product: "pencils", patient: true }, undefined],
    [{ cost: 4000, product: "a lathe", patient: true }, { approver: "Grace" }],
    [{ cost: 2000, product: "a harp", patient: false }, undefined],
  ]
  for (const [number, [order, answer]] of orders.entries()) {
    const id = await workflowClient.scheduleNewWorkflow(purchaseOrderWorkflow, order, `purchase-${number}`)
    await workflowClient.waitForWorkflowStart(id, false, 30)
    if (answer !== undefined) await workflowClient.raiseEvent(id, "approval_received", answer)
    const state = await workflowClient.waitForWorkflowCompletion(id, undefined, 30)
    console.log(`Instance completed: ${state?.runtimeStatus} ${state?.serializedOutput}`)
  }

  const id = await workflowClient.scheduleNewWorkflow(survey, undefined, "survey-1")
  await workflowClient.waitForWorkflowStart(id, undefined, 30)
  await workflowClient.raiseEvent(id, "Vote", "yes")
  await workflowClient.raiseEvent(id, "vote", { no: ["thanks", 7] })
  await workflowClient.raiseEvent(id, "VOTE")
  const state = await workflowClient.waitForWorkflowCompletion(id, undefined, 30)
  console.log(state?.serializedOutput)

  await workflowRuntime.stop()
  await workflowClient.stop()
}

start().catch((e) => {
  console.error(e)
  process.exit(1)
})
