/** What must hold of a task that ends: what was promised of its answer, and who is paid for it. */
import type { Changes } from '@shardy/app-orchestrator/parts'
import type { DeliveryId, TaskId } from '@shardy/protocol'
import { demand } from './violation.ts'
import type { Work } from './work.ts'

export type Task = Changes['tasks'][number]
type Delivery = Task['deliveries'][number]

export interface Verdict {
  workOf(taskId: TaskId): Work
  /** Its worker has put its name under a wrong answer. */
  isWrong(deliveryId: DeliveryId): boolean
}

export function examineVerdict(task: Task, { workOf, isWrong }: Verdict): void {
  const { spec, status, basis, deliveries } = task
  const { taskId, verify, rewardMicroCredit } = spec
  const accepted = deliveries.filter(({ outcome }) => outcome === 'accepted')
  const paid = deliveries.reduce((sum, delivery) => sum + delivery.rewardMicroCredit, 0n)
  demand(
    deliveries.every(({ state }) => state === 'settled'),
    'endedTasksAreSettled',
    () => `task ${taskId} is ${status} with an open delivery`,
  )
  if (status === 'dead' || status === 'cancelled') {
    demand(accepted.length === 0 && paid === 0n, 'deadTasksPayNobody', () => `task ${taskId} is ${status}`)
    return
  }
  demand(
    paid === rewardMicroCredit,
    'theRewardIsPaid',
    () => `task ${taskId} pays ${paid} of ${rewardMicroCredit}`,
  )
  const payers = accepted.filter((delivery) => delivery.rewardMicroCredit >= 0n)
  demand(payers.length > 0, 'theRewardIsPaid', () => `task ${taskId} is ${status} without an answer`)
  demand(
    (status === 'accepted') === (basis === 'trusted'),
    'basisIsTrue',
    () => `${taskId}: ${status} by ${basis}`,
  )
  const { exact, right } = workOf(taskId)
  const wrong = accepted.filter(({ deliveryId }) => isWrong(deliveryId))
  const isRight = !exact || task.outputDigest === right.outputDigest
  if (verify.mode === 'checked' || basis === 'checked') {
    demand(
      isRight && wrong.length === 0,
      'checkedIsRight',
      () => `task ${taskId} is ${status} with a wrong answer`,
    )
    return
  }
  if (basis === 'agreement') {
    examineAgreement(task, accepted, verify.agreeing)
    // Those who agreed on a wrong answer are all liars, and as many as had to agree.
    demand(isRight || wrong.length === accepted.length, 'quorumsLieTogether', () => `task ${taskId}`)
    return
  }
  demand(
    verify.mode === 'audited' || verify.mode === 'adaptive',
    'basisIsTrue',
    () => `${taskId}: ${verify.mode} by ${basis}`,
  )
}

function examineAgreement({ spec, agreeing }: Task, accepted: readonly Delivery[], asked: number): void {
  const { taskId } = spec
  const needed = Math.max(agreeing, asked)
  demand(accepted.length >= needed && asked >= 1, 'quorumIsAsAsked', () => {
    return `task ${taskId} is verified by ${accepted.length} of ${needed}`
  })
  const workers = new Set(accepted.map(({ workerId }) => workerId))
  demand(workers.size === accepted.length, 'quorumIsAsAsked', () => `task ${taskId} counts a worker twice`)
  const operators = accepted.map(({ operator }) => operator).filter((operator) => operator !== '')
  demand(new Set(operators).size === operators.length, 'operatorsCountOnce', () => `task ${taskId}`)
  const [first] = accepted
  const isOne = !spec.exact || accepted.every(({ outputDigest }) => outputDigest === first?.outputDigest)
  demand(isOne, 'quorumIsAsAsked', () => `task ${taskId} is verified by different answers`)
}
