import { describe, expect, test } from 'bun:test'
import type { Digest, DurationMs, TimeMs, TraceLeaf, WorkerId } from '@shardy/protocol'
import {
  attest,
  deliveryIdOf,
  digestOf,
  publicKeyOf,
  sha256,
  startMs,
  taskIdOf,
  verify,
  workerIdOf,
} from '../test/identity.ts'
import { answer, type Blobs, encodeProgram, outline, putBlob, type TestProgram } from '../test/program.ts'
import { type EffectOf, effectOf, kinds, Scene, type Timeless } from '../test/scene.ts'
import { type Deviation, flip, lieAt, type TestWorker, taskOf, worker } from '../test/worker.ts'
import {
  checkEvidence,
  type DisputeId,
  type DisputePolicy,
  defaultPolicy,
  type Opener,
  type Party,
  type Question,
} from './index.ts'
import { roundsMax } from './state.ts'

/** Value 0 is the input, value 1 a constant; node n takes the two values before it. */
function chain(count: number, outputs?: readonly number[]): TestProgram {
  return {
    inputs: [16],
    constants: [{ hex: '0102' }],
    nodes: Array.from({ length: count }, (_, node) => ({
      operands: [node, node + 1],
      byteLength: 40 + node,
    })),
    outputs: outputs ?? [count + 1],
  }
}

const task = taskOf(chain(5), new Map())
const honest = (name: string) => worker(name, task)

function sceneOf(deviation: Deviation, policy?: Partial<DisputePolicy>, of = task): Scene {
  return new Scene(of, worker('ann', of), worker('bob', of, deviation), policy)
}

const midwayLie = { lie: lieAt(2) }
const ann = workerIdOf('ann')
const bob = workerIdOf('bob')

/** What no leaf of an honest trace is. */
const bent: readonly (readonly [string, (leaf: TraceLeaf) => TraceLeaf])[] = [
  ['another length', (leaf) => ({ ...leaf, byteLength: leaf.byteLength + 1 })],
  ['another node', (leaf) => ({ ...leaf, node: leaf.node + 1 })],
]

describe('who is wrong', () => {
  for (const count of [1, 2, 3, 5, 8, 13, 64]) {
    const own = taskOf(chain(count), new Map())
    for (const node of new Set([0, 1, Math.floor(count / 2), count - 2, count - 1])) {
      if (node < 0 || node >= count) continue
      test(`${count} nodes, a lie at ${node}: found, and only the liar is blamed`, () => {
        const scene = sceneOf({ lie: lieAt(node) }, {}, own)
        expect(scene.settle()).toMatchObject({ kind: 'decided', against: [bob], evidence: { node } })
        expect(scene.dispute.rounds).toBeLessThanOrEqual(roundsMax(count))
      })
    }
  }

  test('the first of many lies is the one that is found', () => {
    const own = taskOf(chain(30), new Map())
    const scene = sceneOf({ lie: lieAt(29, 11, 17, 12) }, {}, own)
    expect(scene.settle()).toMatchObject({ against: [bob], evidence: { node: 11 } })
  })

  test('a lie in the trace alone is found too, though the outputs agree', () => {
    const leaves = (all: readonly TraceLeaf[]) =>
      all.map((leaf) => (leaf.node === 3 ? { ...leaf, digest: digestOf(Buffer.from('?')) } : leaf))
    const scene = sceneOf({ leaves })
    expect(scene.ann.party.statement.outputDigest).toBe(scene.bob.party.statement.outputDigest as Digest)
    expect(scene.settle()).toMatchObject({ against: [bob], evidence: { node: 3 } })
  })

  test('both, when neither gave what the node gives', () => {
    const scene = new Scene(
      task,
      worker('ann', task, { lie: (node, bytes) => (node === 2 ? bytes.map((byte) => byte ^ 3) : bytes) }),
      worker('bob', task, midwayLie),
    )
    expect(scene.settle()).toMatchObject({ kind: 'decided', evidence: { node: 2 } })
    expect(new Set(scene.dispute.outcome?.against)).toEqual(new Set([ann, bob]))
  })

  test('the one whose later lie differs from nothing is not asked about it: the first difference decides', () => {
    const scene = new Scene(
      task,
      worker('ann', task, { lie: lieAt(4) }),
      worker('bob', task, { lie: lieAt(1) }),
    )
    expect(scene.settle()).toMatchObject({ against: [bob], evidence: { node: 1 } })
  })

  for (const [what, bend] of bent) {
    test(`a leaf that names ${what} is wrong by construction, with the right digest or not`, () => {
      const leaves = (all: readonly TraceLeaf[]) => all.map((leaf) => (leaf.node === 4 ? bend(leaf) : leaf))
      expect(sceneOf({ leaves }).settle()).toMatchObject({ against: [bob], evidence: { node: 4 } })
    })
  }

  test('a root over one leaf too many is wrong by construction: it has no such halves to show, or no such leaf', () => {
    for (const count of [1, 2, 4, 5, 8]) {
      const own = taskOf(chain(count), new Map())
      const extra: TraceLeaf = { node: count, byteLength: 3, digest: digestOf(Buffer.from('extra')) }
      const scene = sceneOf({ leaves: (all) => [...all, extra] }, {}, own)
      scene.begin()
      // It shows what hashes, which is the only thing that is taken.
      for (let round = 0; round < 9 && scene.state.open.size > 0; round++) {
        const { phase, from, to } = scene.dispute
        if (phase === 'executing') scene.execute()
        else if (phase === 'showing') scene.reveal(scene.ann)
        else {
          scene.reveal(scene.ann)
          const { bob: liar } = scene
          const { hash } =
            scene.dispute.a.party.statement.workerId === bob ? scene.dispute.a : scene.dispute.b
          const halves = subtrees(liar, count + 1).find(
            ([low, high]) => hash === hashOf(liar, low, high, count + 1),
          )
          const shown = halves && liar.halves(...halves)
          if (shown === undefined) scene.wait(defaultPolicy.revealMs)
          else {
            scene.send({
              kind: 'halvesShown',
              disputeId: scene.disputeId,
              workerId: liar.workerId,
              from,
              to,
              halves: shown,
            })
          }
        }
      }
      expect(scene.dispute.outcome?.against).toEqual([bob])
    }
  })

  test('a root over too few leaves as well', () => {
    const scene = sceneOf({ leaves: (all) => all.slice(0, 4) })
    scene.begin()
    scene.reveal(scene.ann)
    const { disputeId } = scene
    const halves = scene.bob.halves(0, 4)
    if (halves === undefined) throw new Error('four leaves have halves')
    scene.send({ kind: 'halvesShown', disputeId, workerId: bob, from: 0, to: 5, halves })
    scene.reveal(scene.ann)
    scene.wait(defaultPolicy.revealMs)
    expect(scene.dispute.outcome).toMatchObject({ kind: 'forfeited', against: [bob] })
  })

  test('the wrong leaf need not be opened: the dispute is decided though the liar says nothing more', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    while (scene.dispute.phase === 'bisecting') {
      scene.reveal(scene.ann)
      scene.reveal(scene.bob)
    }
    scene.reveal(scene.ann)
    scene.execute()
    expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
  })

  test('a worker may show what it agrees with for the other', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    while (scene.dispute.phase === 'bisecting') {
      scene.reveal(scene.ann)
      scene.reveal(scene.bob)
    }
    scene.reveal(scene.bob)
    scene.execute()
    expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
  })

  test('a node that takes no other node is executed at once', () => {
    const own = taskOf({ ...chain(2), nodes: [{ operands: [0, 1], byteLength: 8 }], outputs: [2] }, new Map())
    const scene = sceneOf({ lie: lieAt(0) }, {}, own)
    const { question } = effectOf(scene.begin(), 'reexecute')
    expect(question).toMatchObject({ node: 0, values: [], blobs: [digestOf(own.input)] })
    scene.execute()
    expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
  })
})

function subtrees(of: TestWorker, count: number): readonly [number, number][] {
  const found: [number, number][] = []
  for (let low = 0; low < count; low++) {
    for (let high = low + 2; high <= count; high++) if (of.halves(low, high)) found.push([low, high])
  }
  return found
}

function hashOf(of: TestWorker, low: number, high: number, count: number): Digest | undefined {
  if (low === 0 && high === count) return of.tree.root
  for (const [from, to] of subtrees(of, count)) {
    const split = 2 ** (Math.ceil(Math.log2(to - from)) - 1)
    const halves = of.halves(from, to)
    if (from === low && from + split === high) return halves?.left
    if (from + split === low && to === high) return halves?.right
  }
  return undefined
}

describe('equal traces and different outputs', () => {
  const liesAboutOutput = { output: flip }

  test('are decided by the one leaf that the output is, with nothing to execute', () => {
    const scene = sceneOf(liesAboutOutput)
    const asked = effectOf(scene.begin(), 'askLeaves')
    expect(asked.nodes).toEqual([4])
    expect(kinds(scene.reveal(scene.ann))).toEqual(['save', 'keepBlobs', 'ended'])
    expect(scene.dispute.outcome).toMatchObject({
      kind: 'decided',
      against: [bob],
      evidence: { node: undefined },
    })
  })

  test('with several outputs are decided by putting them together', () => {
    const own = taskOf(chain(5, [6, 0, 3, 1, 6]), new Map())
    const scene = sceneOf(liesAboutOutput, {}, own)
    expect(effectOf(scene.begin(), 'askLeaves').nodes).toEqual([1, 4])
    const { question } = effectOf(scene.reveal(scene.ann), 'reexecute')
    expect(question.values.map(({ node }) => node)).toEqual([1, 4])
    expect(question.blobs).toContain(digestOf(own.input))
    scene.execute()
    expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
  })

  test('with an output that is no node at all are executed at once', () => {
    const own = taskOf(chain(5, [0]), new Map())
    const scene = sceneOf(liesAboutOutput, {}, own)
    expect(effectOf(scene.begin(), 'reexecute').question).toMatchObject({ node: undefined, values: [] })
    scene.execute()
    expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
  })

  test('may both be wrong', () => {
    const scene = new Scene(
      task,
      worker('ann', task, { output: (bytes) => bytes.map((byte) => byte ^ 9) }),
      worker('bob', task, liesAboutOutput),
    )
    scene.settle()
    expect(new Set(scene.dispute.outcome?.against)).toEqual(new Set([ann, bob]))
  })

  test('of a program of one node', () => {
    const own = taskOf(chain(1), new Map())
    expect(sceneOf(liesAboutOutput, {}, own).settle()).toMatchObject({
      against: [bob],
      evidence: { node: undefined },
    })
  })
})

describe('what cannot be disputed', () => {
  const changed = (name: string, statement: Partial<Party['statement']>) =>
    worker(name, task, { ...midwayLie, statement })
  const cat: Opener = { kind: 'worker', workerId: workerIdOf('cat') }
  const late = defaultPolicy.openMs + 60_001
  const otherDigest = digestOf(Buffer.from('other'))
  const refusals: readonly {
    readonly desc: string
    readonly bob?: TestWorker
    readonly program?: Uint8Array
    readonly openedBy?: Opener
    readonly waits?: number
    readonly kind: string
  }[] = [
    { desc: 'results that agree', bob: honest('bob'), kind: 'agree' },
    {
      desc: 'a delivery',
      bob: changed('bob', { role: 'delivery', outputDigest: undefined, traceRoot: undefined }),
      kind: 'notAResult',
    },
    { desc: 'results of different tasks', bob: changed('bob', { taskId: taskIdOf('u') }), kind: 'otherTask' },
    {
      desc: 'of different programs',
      bob: changed('bob', { programId: otherDigest as never }),
      kind: 'otherProgram',
    },
    { desc: 'of different seeds', bob: changed('bob', { seed: 8n }), kind: 'otherSeed' },
    { desc: 'of different inputs', bob: changed('bob', { inputDigest: otherDigest }), kind: 'otherInput' },
    {
      desc: 'two results of one worker',
      bob: changed('ann', { deliveryId: deliveryIdOf('2') }),
      kind: 'sameWorker',
    },
    { desc: 'a result without a trace', bob: changed('bob', { traceRoot: undefined }), kind: 'noTrace' },
    {
      desc: "a result under another's key",
      bob: withParty(changed('bob', {}), { publicKey: publicKeyOf('cat') }),
      kind: 'otherKey',
    },
    {
      desc: 'a result whose attestation fits no batch',
      bob: withParty(changed('bob', {}), {
        attestation: { ...changed('bob', {}).party.attestation, count: 2 },
      }),
      kind: 'noBatch',
    },
    { desc: 'with the bytes of another program', program: encodeProgram(chain(4)), kind: 'wrongProgram' },
    { desc: 'opened by a worker that has no part in it', openedBy: cat, kind: 'notAParty' },
    { desc: 'too late for the workers', waits: late, kind: 'tooLate' },
    {
      desc: 'under a deadline that nobody gave',
      bob: changed('bob', { deadlineMs: (startMs + defaultPolicy.leaseMsMax + 1) as TimeMs }),
      kind: 'deadlineTooFar',
    },
  ]
  for (const {
    desc,
    bob: other = worker('bob', task, midwayLie),
    program,
    openedBy,
    waits = 0,
    kind,
  } of refusals) {
    test(desc, () => {
      const scene = new Scene(task, honest('ann'), other)
      scene.nowMs += waits
      const before = scene.state
      const opener = openedBy ?? { kind: 'orchestrator', workerId: undefined }
      for (const parties of [
        [scene.ann.party, other.party],
        [other.party, scene.ann.party],
      ] as const) {
        const effects = scene.send({
          kind: 'open',
          openedBy: opener,
          program: program ?? task.bytes,
          parties,
        })
        expect(kinds(effects)).toEqual(['refused'])
        expect<string>(effectOf(effects, 'refused').refusal.kind).toBe(kind)
      }
      expect(scene.state).toEqual(before)
    })
  }

  test('too late for either of the two, whose deadlines may differ', () => {
    const later = { deadlineMs: (startMs + 100_000) as TimeMs }
    for (const [one, other] of [
      [honest('ann'), worker('bob', task, { ...midwayLie, statement: later })],
      [worker('ann', task, { statement: later }), worker('bob', task, midwayLie)],
    ] as const) {
      const scene = new Scene(task, one, other)
      const openUntilMs = startMs + 60_000 + defaultPolicy.openMs
      scene.nowMs = openUntilMs + 1
      expect(effectOf(scene.open(), 'refused').refusal).toEqual({
        kind: 'tooLate',
        openUntilMs: openUntilMs as TimeMs,
      })
      scene.nowMs = openUntilMs
      expect(kinds(scene.open())).toEqual(['save', 'verify', 'verify'])
    }
  })

  test('a program that cannot be read, or that has no nodes', () => {
    for (const [text, kind] of [
      ['no program', 'unreadableProgram'],
      [JSON.stringify({ ...chain(1), nodes: [], outputs: [0] }), 'noNodes'],
    ] as const) {
      const bytes = Buffer.from(text)
      const own = { ...taskOf(chain(1), new Map()), bytes, programId: idOf(bytes) }
      const scene = new Scene(own, worker('ann', own), worker('bob', own, midwayLieOf(0)))
      expect<string>(effectOf(scene.open(), 'refused').refusal.kind).toBe(kind)
    }
  })

  test('the same again, from either side, open or ended', () => {
    const scene = sceneOf(midwayLie)
    const again = (): readonly string[] => {
      const { ann: one, bob: other } = scene
      return (
        [
          [one, other],
          [other, one],
        ] as const
      ).map(([first, second]) => {
        const parties = [first.party, second.party] as const
        const opener = { kind: 'requester', workerId: undefined } as const
        const effects = scene.send({ kind: 'open', openedBy: opener, program: task.bytes, parties })
        return effectOf(effects, 'refused').refusal.kind
      })
    }
    scene.open()
    expect(again()).toEqual(['duplicate', 'duplicate'])
    verifyBoth(scene)
    expect(again()).toEqual(['duplicate', 'duplicate'])
    scene.play()
    scene.execute()
    expect(again()).toEqual(['duplicate', 'duplicate'])
    scene.wait(defaultPolicy.evidenceMs)
    expect(scene.state.ended.size).toBe(0)
    expect(again()).toEqual(['tooLate', 'tooLate'])
  })

  test('one that was forfeited, to the last millisecond in which one can be opened', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    scene.wait(defaultPolicy.revealMs)
    const openUntilMs = scene.ann.party.statement.deadlineMs + defaultPolicy.openMs
    scene.wait(openUntilMs - scene.nowMs)
    expect(effectOf(scene.open(), 'refused').refusal.kind).toBe('duplicate')
    scene.wait(1)
    expect(scene.state.ended.size).toBe(0)
    expect(effectOf(scene.open(), 'refused').refusal.kind).toBe('tooLate')
  })

  test('more than the policy allows at a time, or remembers', () => {
    const full = sceneOf(midwayLie, { openMax: 1 })
    full.open()
    const third = worker('cat', task, midwayLieOf(3))
    const parties = [full.ann.party, third.party] as const
    const more: Timeless = {
      kind: 'open',
      openedBy: { kind: 'worker', workerId: workerIdOf('cat') },
      program: task.bytes,
      parties,
    }
    expect(effectOf(full.send(more), 'refused').refusal.kind).toBe('overloaded')
    const remembering = sceneOf(midwayLie, { endedMax: 1 })
    remembering.settle()
    expect(effectOf(remembering.send(more), 'refused').refusal.kind).toBe('overloaded')
  })
})

function idOf(bytes: Uint8Array) {
  const domain = Buffer.concat([Buffer.from('shardy/program/v1\0'), bytes])
  return digestOf(domain) as string as Party['statement']['programId']
}

function midwayLieOf(node: number): Deviation {
  return { lie: lieAt(node) }
}

function withParty(of: TestWorker, change: Partial<Party>): TestWorker {
  return { ...of, party: { ...of.party, ...change } }
}

function verifyBoth(scene: Scene): void {
  const { disputeId } = scene
  for (const workerId of [ann, bob])
    scene.send({ kind: 'signatureChecked', disputeId, workerId, isValid: true })
}

describe('signatures', () => {
  test('are verified first, each over its own statement, under its own key', () => {
    const scene = sceneOf(midwayLie)
    const effects = scene.open().filter(({ kind }) => kind === 'verify') as EffectOf<'verify'>[]
    expect(new Set(effects.map(({ workerId }) => workerId))).toEqual(new Set([ann, bob]))
    for (const { workerId, publicKey, signature } of effects) {
      const { party } = scene.workerOf(workerId)
      expect(publicKey).toEqual(party.publicKey)
      expect(signature).toEqual(party.attestation.signature)
    }
  })

  test('are asked for again, but not those that were checked', () => {
    const scene = sceneOf(midwayLie)
    scene.open()
    scene.send({ kind: 'signatureChecked', disputeId: scene.disputeId, workerId: ann, isValid: true })
    const again = scene.wait(defaultPolicy.askEveryMs)
    expect(kinds(again)).toEqual(['save', 'verify'])
    expect(effectOf(again, 'verify').workerId).toBe(bob)
  })

  test('one that does not verify ends it against nobody, and it can be opened with the true one', () => {
    const scene = sceneOf(midwayLie)
    scene.open()
    const { disputeId } = scene
    scene.send({ kind: 'signatureChecked', disputeId, workerId: ann, isValid: true })
    const effects = scene.send({ kind: 'signatureChecked', disputeId, workerId: bob, isValid: false })
    expect(effectOf(effects, 'ended').outcome).toMatchObject({ kind: 'badSignature', against: [] })
    expect(scene.saved.size + scene.state.open.size + scene.state.ended.size).toBe(0)
    expect(scene.settle()).toMatchObject({ kind: 'decided', against: [bob] })
  })

  test('that nobody verifies in time end it against nobody', () => {
    const scene = sceneOf(midwayLie)
    scene.open()
    const effects = scene.wait(defaultPolicy.verifyMs)
    expect(effectOf(effects, 'ended').outcome).toMatchObject({ kind: 'unverified', against: [] })
    expect(scene.saved.size).toBe(0)
  })

  test('of a forger never reach the bisection', () => {
    const forged = attest('cat', worker('bob', task, midwayLie).party.statement)
    const scene = new Scene(
      task,
      honest('ann'),
      withParty(worker('bob', task, midwayLie), { attestation: forged }),
    )
    scene.begin()
    expect(scene.effects.map(({ kind }) => kind)).not.toContain('askHalves')
    expect(scene.state.open.size).toBe(0)
  })
})

describe('who does not reveal', () => {
  const stages: readonly (readonly [string, (scene: Scene) => void, readonly WorkerId[]])[] = [
    ['bob alone', (scene) => scene.reveal(scene.ann), [bob]],
    ['ann alone', (scene) => scene.reveal(scene.bob), [ann]],
    ['both', () => {}, [ann, bob]],
    [
      'bob in the second round',
      (scene) => {
        scene.reveal(scene.ann)
        scene.reveal(scene.bob)
        scene.reveal(scene.ann)
      },
      [bob],
    ],
  ]
  for (const [who, before, against] of stages) {
    test(`${who}: forfeits, without evidence`, () => {
      const scene = sceneOf(midwayLie)
      scene.begin()
      before(scene)
      const effects = scene.wait(defaultPolicy.revealMs)
      const { outcome } = effectOf(effects, 'ended')
      expect(outcome).toMatchObject({ kind: 'forfeited', evidence: undefined })
      expect(new Set(outcome.against)).toEqual(new Set(against))
      expect(kinds(effects)).toEqual(['save', 'releaseBlobs', 'ended'])
    })
  }

  test('both, where either could have shown what the node takes', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    while (scene.dispute.phase === 'bisecting') {
      scene.reveal(scene.ann)
      scene.reveal(scene.bob)
    }
    const { outcome } = effectOf(scene.wait(defaultPolicy.revealMs), 'ended')
    expect(outcome.kind).toBe('forfeited')
    expect(new Set(outcome.against)).toEqual(new Set([ann, bob]))
  })

  test('is asked again until the window closes, and only who has not answered', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    scene.reveal(scene.ann)
    const asked = scene.wait(defaultPolicy.askEveryMs).filter(({ kind }) => kind === 'askHalves')
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({ workerId: bob, deliveryId: deliveryIdOf('bob'), from: 0, to: 5 })
  })

  test('a reveal when the window closes is late, with or without a tick before it', () => {
    for (const lateMs of [0, 1]) {
      const scene = sceneOf(midwayLie)
      scene.begin()
      scene.reveal(scene.ann)
      const halves = scene.bob.halves(0, 5)
      if (halves === undefined) throw new Error('five leaves have halves')
      scene.nowMs += defaultPolicy.revealMs + lateMs
      const { disputeId } = scene
      const effects = scene.send({ kind: 'halvesShown', disputeId, workerId: bob, from: 0, to: 5, halves })
      expect(kinds(effects)).toEqual(['save', 'releaseBlobs', 'ended', 'ignored'])
      expect(scene.dispute.outcome).toMatchObject({ kind: 'forfeited', against: [bob] })
    }
  })

  test('one millisecond before is in time', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    scene.reveal(scene.ann)
    scene.nowMs += defaultPolicy.revealMs - 1
    scene.reveal(scene.bob)
    expect(scene.dispute.rounds).toBe(1)
  })
})

describe('what is shown and does not fit', () => {
  const other = digestOf(Buffer.from('garbage'))

  test('halves that do not hash to the parent are refused, change nothing, and true ones are still taken', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    const { disputeId, state } = scene
    const truth = scene.bob.halves(0, 5)
    const annHalves = scene.ann.halves(0, 5)
    if (truth === undefined || annHalves === undefined) throw new Error('five leaves have halves')
    for (const halves of [
      { left: other, right: truth.right },
      { left: truth.left, right: other },
      { left: truth.right, right: truth.left },
      annHalves,
    ]) {
      const effects = scene.send({ kind: 'halvesShown', disputeId, workerId: bob, from: 0, to: 5, halves })
      expect(effects).toEqual([{ kind: 'revealRefused', disputeId, workerId: bob, flaw: 'wrongHalves' }])
    }
    expect(scene.state).toEqual(state)
    scene.reveal(scene.bob)
    expect(scene.settleFrom()).toMatchObject({ kind: 'decided', against: [bob] })
  })

  const changes: readonly (readonly [
    string,
    (leaves: ReturnType<TestWorker['shown']>, scene: Scene) => ReturnType<TestWorker['shown']>,
  ])[] = [
    ['none', () => []],
    ['too few', (leaves) => leaves.slice(1)],
    ['too many', (leaves, { ann: one }) => [...leaves, ...one.shown([0])]],
    ['in another order', (leaves) => leaves.toReversed()],
    ['of other nodes', (_, { ann: one }) => one.shown([0, 2])],
    [
      'another digest',
      ([first, ...rest]) => (first ? [{ ...first, leaf: { ...first.leaf, digest: other } }, ...rest] : []),
    ],
    [
      'another length',
      ([first, ...rest]) => (first ? [{ ...first, leaf: { ...first.leaf, byteLength: 1 } }, ...rest] : []),
    ],
    [
      'a path cut short',
      ([first, ...rest]) => (first ? [{ ...first, path: first.path.slice(1) }, ...rest] : []),
    ],
    [
      'a path of another leaf',
      ([first, second]) => (first && second ? [{ ...first, path: second.path }, second] : []),
    ],
  ]
  for (const [what, bend] of bent) {
    test(`leaves that both sides give ${what} are in the trace and still not taken: no honest side has such`, () => {
      const leaves = (all: readonly TraceLeaf[]) => all.map((leaf) => (leaf.node === 1 ? bend(leaf) : leaf))
      const scene = new Scene(
        task,
        worker('ann', task, { leaves }),
        worker('bob', task, { leaves, ...midwayLieOf(3) }),
      )
      scene.begin()
      while (scene.dispute.phase === 'bisecting') {
        scene.reveal(scene.ann)
        scene.reveal(scene.bob)
      }
      const effects = scene.reveal(scene.ann)
      expect(effectOf(effects, 'revealRefused').flaw).toBe('wrongLeaves')
      expect(effectOf(scene.wait(defaultPolicy.revealMs), 'ended').outcome.against).toHaveLength(2)
    })
  }
  for (const [what, change] of changes) {
    test(`leaves: ${what}`, () => {
      const own = taskOf(chain(9), new Map())
      const scene = new Scene(own, worker('ann', own), worker('bob', own, { lie: lieAt(5) }))
      scene.begin()
      while (scene.dispute.phase === 'bisecting') {
        scene.reveal(scene.ann)
        scene.reveal(scene.bob)
      }
      const { disputeId, state } = scene
      const leaves = change(scene.ann.shown([3, 4]), scene)
      const effects = scene.send({ kind: 'leavesShown', disputeId, workerId: ann, leaves })
      expect(effects).toEqual([{ kind: 'revealRefused', disputeId, workerId: ann, flaw: 'wrongLeaves' }])
      expect(scene.state).toEqual(state)
      scene.reveal(scene.ann)
      scene.execute()
      expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
    })
  }
})

describe('a message that is late, repeated, out of order or foreign changes nothing', () => {
  type Play = (scene: Scene) => void
  const begun: Play = (scene) => void scene.begin()
  const annShowed: Play = (scene) => {
    scene.begin()
    scene.reveal(scene.ann)
  }
  const secondRound: Play = (scene) => {
    annShowed(scene)
    scene.reveal(scene.bob)
  }
  const showing: Play = (scene) => {
    scene.begin()
    while (scene.dispute.phase === 'bisecting') {
      scene.reveal(scene.ann)
      scene.reveal(scene.bob)
    }
  }
  const executing: Play = (scene) => {
    showing(scene)
    scene.reveal(scene.ann)
  }
  const over: Play = (scene) => {
    executing(scene)
    scene.execute()
  }
  const halvesOf = (scene: Scene, who: TestWorker, from: number, to: number): Timeless => {
    const halves = who.halves(from, to)
    if (halves === undefined) throw new Error('no such subtree')
    return { kind: 'halvesShown', disputeId: scene.disputeId, workerId: who.workerId, from, to, halves }
  }
  const leavesOf = (scene: Scene): Timeless => ({
    kind: 'leavesShown',
    disputeId: scene.disputeId,
    workerId: ann,
    leaves: scene.ann.shown([0, 1]),
  })
  const checked = ({ disputeId }: Scene, workerId = ann, isValid = false): Timeless => ({
    kind: 'signatureChecked',
    disputeId,
    workerId,
    isValid,
  })
  const digest = ({ disputeId }: Scene): Timeless => ({
    kind: 'reexecuted',
    disputeId,
    digest: digestOf(Buffer.of(1)),
  })
  const missing = ({ disputeId }: Scene): Timeless => ({ kind: 'blobsMissing', disputeId, digests: [] })
  const cat = workerIdOf('cat')
  const table: readonly (readonly [string, Play, (scene: Scene) => Timeless, string])[] = [
    ['a signature checked twice', begun, (scene) => checked(scene), 'alreadyChecked'],
    ["a stranger's signature", (scene) => void scene.open(), (scene) => checked(scene, cat), 'notAParty'],
    ['halves shown twice', annShowed, (scene) => halvesOf(scene, scene.ann, 0, 5), 'alreadyShown'],
    ['halves of the round before', secondRound, (scene) => halvesOf(scene, scene.ann, 0, 5), 'otherRound'],
    ['halves of a round to come', begun, (scene) => halvesOf(scene, scene.ann, 0, 4), 'otherRound'],
    [
      'halves before any were asked for',
      (scene) => void scene.open(),
      (scene) => halvesOf(scene, scene.ann, 0, 5),
      'notAsked',
    ],
    ['halves after the bisection', showing, (scene) => halvesOf(scene, scene.ann, 0, 5), 'notAsked'],
    [
      "a stranger's halves",
      begun,
      (scene) => ({ ...halvesOf(scene, scene.ann, 0, 5), workerId: cat }) as Timeless,
      'notAParty',
    ],
    ['leaves during the bisection', begun, leavesOf, 'notAsked'],
    ['leaves once they are known', executing, leavesOf, 'alreadyShown'],
    [
      "a stranger's leaves",
      showing,
      (scene) => ({ ...leavesOf(scene), workerId: cat }) as Timeless,
      'notAParty',
    ],
    ['a digest before there is a question', begun, digest, 'notAsked'],
    ['a digest while leaves are waited for', showing, digest, 'notAsked'],
    ['missing blobs before there is a question', begun, missing, 'notAsked'],
    ['blobs that are missing no more than before', executing, missing, 'alreadyShown'],
    ['a signature after the end', over, (scene) => checked(scene), 'ended'],
    ['halves after the end', over, (scene) => halvesOf(scene, scene.ann, 0, 5), 'ended'],
    ['leaves after the end', over, leavesOf, 'ended'],
    ['another digest after the end', over, digest, 'ended'],
    ['missing blobs after the end', over, missing, 'ended'],
    [
      'anything about a dispute that there never was',
      begun,
      (scene) => ({ ...digest(scene), disputeId: digestOf(Buffer.of(2)) as string as DisputeId }) as Timeless,
      'unknownDispute',
    ],
  ]
  for (const [desc, before, input, reason] of table) {
    test(desc, () => {
      const scene = sceneOf(midwayLie)
      before(scene)
      const { state } = scene
      expect(scene.send(input(scene))).toEqual([{ kind: 'ignored', reason } as never])
      expect(scene.state).toEqual(state)
    })
  }
})

describe('blobs', () => {
  test('are asked for while they are missing; when they never come, nobody is blamed', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    scene.play()
    const before = new Map(task.blobs)
    const effects = scene.execute(before)
    const asked = effects.filter(({ kind }) => kind === 'askBlobs') as EffectOf<'askBlobs'>[]
    expect(new Set(asked.map(({ workerId }) => workerId))).toEqual(new Set([ann, bob]))
    const taken = [0, 1].map((node) => scene.ann.leaves[node]?.digest as Digest)
    for (const { digests } of asked) expect(digests).toEqual(taken)
    const again = scene.wait(defaultPolicy.askEveryMs)
    expect(kinds(again)).toEqual(['save', 'askBlobs', 'askBlobs', 'reexecute'])
    const last = scene.wait(defaultPolicy.executeMs)
    expect(effectOf(last, 'ended').outcome).toMatchObject({ kind: 'undecided', against: [] })
  })

  test('that come after all let it be decided', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    scene.play()
    scene.execute(new Map(task.blobs))
    scene.wait(defaultPolicy.askEveryMs)
    scene.execute()
    expect(scene.dispute.outcome).toMatchObject({ kind: 'decided', against: [bob] })
  })

  test('that the question does not need are not asked for', () => {
    const scene = sceneOf(midwayLie)
    scene.begin()
    scene.play()
    const { disputeId } = scene
    const digests = [digestOf(Buffer.of(9))]
    expect(kinds(scene.send({ kind: 'blobsMissing', disputeId, digests }))).toEqual(['ignored'])
  })

  test('are kept from the first round to the end, those of the evidence as long as it counts, and then released', () => {
    const blobs: Blobs = new Map()
    const constant = putBlob(blobs, Buffer.from('weights'))
    const program = { ...chain(5), constants: [{ digest: constant }] }
    const own = taskOf(program, blobs)
    const scene = sceneOf(midwayLie, {}, own)
    const first = effectOf(scene.begin(), 'keepBlobs')
    expect(first.digests).toEqual([digestOf(own.input), constant])
    scene.play()
    const second = effectOf(scene.effects, 'keepBlobs')
    expect(second.digests).toEqual([0, 1].map((node) => scene.ann.leaves[node]?.digest as Digest))
    expect(second.untilMs).toBeLessThanOrEqual(first.untilMs)
    const last = effectOf(scene.execute(), 'keepBlobs')
    expect(last).toMatchObject({ digests: second.digests, untilMs: scene.nowMs + defaultPolicy.evidenceMs })
    const effects = scene.wait(defaultPolicy.evidenceMs)
    expect(kinds(effects)).toEqual(['save', 'releaseBlobs'])
    expect(scene.saved.size).toBe(0)
  })

  test('name everything that the question takes, constants and input included', () => {
    const blobs: Blobs = new Map()
    const constant = putBlob(blobs, Buffer.from('weights'))
    const program = { ...chain(1), constants: [{ digest: constant }] }
    const own = taskOf(program, blobs)
    const { question } = effectOf(sceneOf({ lie: lieAt(0) }, {}, own).begin(), 'reexecute')
    expect(question.blobs).toEqual([digestOf(own.input), constant])
  })
})

describe('time', () => {
  test('no dispute lasts longer than it said when it began, whatever the sides do', () => {
    for (const count of [1, 2, 5, 33, 100]) {
      const own = taskOf(chain(count), new Map())
      const scene = sceneOf({ lie: lieAt(Math.min(1, count - 1)) }, {}, own)
      const { untilMs } = effectOf(scene.begin(), 'keepBlobs')
      // Both answer as late as they can.
      while (scene.dispute.phase !== 'executing') {
        scene.nowMs = scene.dispute.dueMs - 1
        scene.reveal(scene.ann)
        if (scene.dispute.phase === 'bisecting') scene.reveal(scene.bob)
      }
      scene.nowMs = scene.dispute.dueMs
      scene.send({ kind: 'tick' })
      expect(scene.dispute.outcome?.kind).toBe('undecided')
      expect(scene.nowMs).toBeLessThanOrEqual(untilMs)
      expect(scene.nowMs).toBeGreaterThan(untilMs - 100 * (roundsMax(count) + 2))
    }
  })

  test('twenty rounds are enough for 2^20 nodes', () => {
    expect(roundsMax(2 ** 20)).toBe(20)
    for (const [count, rounds] of [
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 2],
      [5, 3],
      [1000, 10],
    ] as const) {
      expect(roundsMax(count)).toBe(rounds)
    }
  })

  test('a policy with a window that is none is refused', () => {
    expect(() => sceneOf({}, { revealMs: 0 as DurationMs })).toThrow('revealMs is 0')
  })
})

test('a restart begins every window anew, keeps what was shown, and asks again', () => {
  const scene = sceneOf(midwayLie)
  scene.begin()
  scene.reveal(scene.ann)
  // Longer than any window: the process was down.
  scene.nowMs += 10 * defaultPolicy.revealMs
  const effects = scene.restart()
  expect(kinds(effects)).toEqual(['save', 'askHalves', 'keepBlobs'])
  expect(effectOf(effects, 'askHalves')).toMatchObject({
    workerId: bob,
    dueMs: scene.nowMs + defaultPolicy.revealMs,
  })
  scene.reveal(scene.bob)
  expect(scene.settleFrom()).toMatchObject({ kind: 'decided', against: [bob] })
})

test('a restart in every phase comes to the same end', () => {
  const restartless = sceneOf(midwayLie)
  const wanted = restartless.settle()
  const scene = sceneOf(midwayLie)
  scene.open()
  scene.restart()
  verifyBoth(scene)
  while (scene.dispute.phase === 'bisecting') {
    scene.restart()
    scene.reveal(scene.ann)
    scene.restart()
    scene.reveal(scene.bob)
  }
  scene.restart()
  scene.reveal(scene.ann)
  scene.restart()
  scene.execute()
  expect(scene.dispute.outcome).toEqual(wanted as never)
  const ended = scene.dispute
  expect(kinds(scene.restart())).toEqual(['keepBlobs'])
  expect(scene.dispute).toEqual(ended)
  expect(effectOf(scene.open(), 'refused').refusal.kind).toBe('duplicate')
  scene.nowMs += defaultPolicy.evidenceMs
  expect(kinds(scene.restart())).toEqual(['save', 'releaseBlobs'])
  expect(scene.saved.size).toBe(0)
})

test('what it leaves passes the check of a stranger', () => {
  const scene = sceneOf(midwayLie)
  const outcome = scene.settle()
  if (outcome?.evidence === undefined) throw new Error('it was decided')
  const reexecute = (question: Question) => answer(question, scene.ann.blobs).digest
  expect(checkEvidence(outcome.evidence, { sha256, outline, verify, reexecute })).toEqual({
    ok: true,
    wrong: [bob],
  })
})
