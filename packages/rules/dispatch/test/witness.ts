/**
 * Sees every step and remembers what must hold over time: what is saved comes first, a delivery settles once, the
 * minority is never paid, failures never touch a standing, and exactly the rewards of verified tasks are paid.
 */
import type { DeliveryId, Digest } from '@shardy/protocol'
import type { DeliveryRecord, Effect, Row, TaskRecord } from '../src/index.ts'
import { Archive } from './archive.ts'
import { Broken } from './broken.ts'

export class Witness {
  readonly archive = new Archive()
  private readonly settled = new Set<DeliveryId>()

  see(effects: readonly Effect[]): void {
    const saves = effects.filter((effect) => effect.kind === 'save')
    const [save] = saves
    if (saves.length > 1 || (save !== undefined && effects[0] !== save)) {
      throw new Broken('what justifies an effect is saved before it', effects)
    }
    const rows = save?.rows ?? []
    this.archive.save(rows)
    for (const row of rows) {
      if (row.table === 'tasks' && row.record.status === 'verified') this.assertVerified(row.record)
      if (row.table === 'tasks' && row.record.status !== 'verified') this.assertUnpaid(row.record)
    }
    for (const effect of effects) this.assertSaved(effect, rows)
    const published = effects.filter(({ kind }) => kind === 'publish').length
    const happened = rows.filter(({ table }) => table === 'events').length
    if (published !== happened) throw new Broken('what is saved and what is published differ', effects)
  }

  private assertSaved(effect: Effect, rows: readonly Row[]): void {
    switch (effect.kind) {
      case 'deliver':
        return this.assertDelivery(effect.delivery.deliveryId, ['leased'], rows)
      case 'closeCommitments': {
        this.assertDelivery(effect.deliveryId, ['revealing'], rows)
        return this.assertBound(effect.deliveryId)
      }
      case 'cancelDelivery':
        return this.assertDelivery(effect.deliveryId, ['settled'], rows)
      case 'settle': {
        if (this.settled.has(effect.deliveryId)) throw new Broken('a delivery was settled twice', effect)
        this.settled.add(effect.deliveryId)
        return this.assertDelivery(effect.deliveryId, ['settled'], rows)
      }
      case 'publish':
        if (!rows.some(({ record }) => record === effect.event))
          throw new Broken('an event was not saved', effect)
        return
      case 'ignored':
      case 'refused':
        if (rows.length > 0) throw new Broken('something was saved of what changes nothing', effect)
    }
  }

  private assertDelivery(deliveryId: DeliveryId, states: readonly string[], rows: readonly Row[]): void {
    const found = rows.some(
      (row) =>
        row.table === 'deliveries' &&
        row.record.deliveryId === deliveryId &&
        states.includes(row.record.state),
    )
    if (!found) throw new Broken(`a delivery was not saved as ${states}`, deliveryId)
  }

  /** Nobody is asked to show an answer before as many as the task needs are bound to theirs. */
  private assertBound(deliveryId: DeliveryId): void {
    const delivery = this.archive.deliveries.get(deliveryId)
    const task = delivery && this.archive.tasks.get(delivery.taskId)
    if (task === undefined) throw new Broken('commitments of an unknown delivery closed', deliveryId)
    const bound = this.archive
      .deliveriesOf(task)
      .filter(({ state, commitment }) => state !== 'settled' && commitment !== undefined)
    if (bound.length < task.redundancy) throw new Broken('commitments closed too early', { task, bound })
  }

  private assertVerified(task: TaskRecord): void {
    const deliveries = this.archive.deliveriesOf(task)
    const accepted = deliveries.filter(({ outcome }) => outcome === 'accepted')
    const workers = new Set(accepted.map(({ workerId }) => workerId))
    if (accepted.length !== task.redundancy || workers.size !== task.redundancy) {
      throw new Broken('not verified by as many workers as asked for', { task, deliveries })
    }
    for (const delivery of deliveries) this.assertOutcome(delivery, task.outputDigest)
    if (sumOf(deliveries) !== BigInt(task.rewardMicroCredit)) throw new Broken('not paid exactly', task)
  }

  private assertOutcome(delivery: DeliveryRecord, agreed: Digest | undefined): void {
    const { state, outcome, answer, outputDigest, rewardMicroCredit } = delivery
    if (state !== 'settled' || outcome === undefined)
      throw new Broken('an ended task has open work', delivery)
    const isRight = outcome === 'accepted' && outputDigest === agreed
    const isWrong = outcome === 'disagreed' && outputDigest !== agreed
    if (answer !== undefined && !isRight && !isWrong)
      throw new Broken('an answer got the wrong outcome', delivery)
    if (answer === undefined && (outcome === 'accepted' || outcome === 'disagreed')) {
      throw new Broken('a verdict without an answer', delivery)
    }
    if (!isRight && rewardMicroCredit !== 0n) throw new Broken('paid for nothing', delivery)
  }

  private assertUnpaid(task: TaskRecord): void {
    const deliveries = this.archive.deliveriesOf(task)
    if (sumOf(deliveries) !== 0n) throw new Broken('paid without a verdict', task)
    if (deliveries.some(({ outcome }) => outcome === 'accepted' || outcome === 'disagreed')) {
      throw new Broken('a verdict on a task that has none', task)
    }
  }

  /** After everything: what was earned is what was offered for verified tasks, and standings count verdicts alone. */
  assertBalanced(): void {
    const verified = [...this.archive.tasks.values()].filter(({ status }) => status === 'verified')
    const offered = verified.reduce((sum, task) => sum + BigInt(task.rewardMicroCredit), 0n)
    const paid = sumOf([...this.archive.deliveries.values()])
    let earned = 0n
    for (const standing of this.archive.standings.values()) {
      earned += BigInt(standing.earnedMicroCredit)
      const own = [...this.archive.deliveries.values()].filter(
        ({ workerId }) => workerId === standing.workerId,
      )
      const accepted = own.filter(({ outcome }) => outcome === 'accepted')
      const disagreed = own.filter(({ outcome }) => outcome === 'disagreed')
      if (
        standing.acceptedCount !== accepted.length ||
        standing.disagreedCount !== disagreed.length ||
        BigInt(standing.earnedMicroCredit) !== sumOf(own)
      ) {
        throw new Broken('a standing is not what its verdicts make it', standing)
      }
    }
    if (offered !== paid || paid !== earned)
      throw new Broken('value is not conserved', { offered, paid, earned })
  }
}

function sumOf(deliveries: readonly DeliveryRecord[]): bigint {
  return deliveries.reduce((sum, { rewardMicroCredit }) => sum + BigInt(rewardMicroCredit), 0n)
}
