import { describe, expect, test } from 'bun:test'
import { type Digest, type TraceLeaf, traceLeafHash } from '@shardy/protocol'
import fc from 'fast-check'
import {
  attest,
  deliveryIdOf,
  digestOf,
  publicKeyOf,
  sha256,
  taskIdOf,
  verify,
  workerIdOf,
} from '../test/identity.ts'
import { answer, encodeProgram, outline, type TestProgram } from '../test/program.ts'
import { Scene } from '../test/scene.ts'
import { type Deviation, flip, lieAt, type TestWorker, taskOf, worker } from '../test/worker.ts'
import { checkEvidence, type Evidence, evidence, type Party } from './index.ts'

/** Node n takes the three values before it; value 0 is the input, 1 and 2 are constants. */
function program(outputs: readonly number[]): TestProgram {
  return {
    inputs: [16],
    constants: [{ hex: '01' }, { hex: '02' }],
    nodes: Array.from({ length: 11 }, (_, node) => ({
      operands: [node, node + 1, node + 2],
      byteLength: 40,
    })),
    outputs,
  }
}

const task = taskOf(program([13]), new Map())
const twoOutputs = taskOf(program([13, 5]), new Map())
const [ann, bob] = [workerIdOf('ann'), workerIdOf('bob')]
const honest = worker('ann', task)

function decided(deviation: Deviation, of = task): { found: Evidence; scene: Scene } {
  const scene = new Scene(of, worker('ann', of), worker('bob', of, deviation))
  const found = scene.settle()?.evidence
  if (found === undefined) throw new Error('it was not decided')
  return { found, scene }
}

const blobs = new Map([...honest.blobs, ...worker('ann', twoOutputs).blobs])
const tools = {
  sha256,
  outline,
  verify,
  reexecute: (question: Parameters<typeof answer>[0]) => answer(question, blobs).digest,
}

/** Bob lies about node 6 and goes on from there, so that everything after it differs too. */
const { found: aboutNode, scene } = decided({ lie: lieAt(6) })
const { found: aboutOutput } = decided({ output: flip })
const { found: aboutTwo } = decided({ output: flip }, twoOutputs)
const liar = scene.bob

describe('evidence that is true', () => {
  for (const [what, found] of [
    ['about a node', aboutNode],
    ['about an output that is one node', aboutOutput],
    ['about an output of several values', aboutTwo],
  ] as const) {
    test(`${what} shows who is wrong, from its bytes alone`, () => {
      const again = evidence.decode(evidence.encode(found))
      if (!again.ok) throw new Error(again.refusal.kind)
      expect(again.value).toEqual(found)
      expect(checkEvidence(again.value, tools)).toEqual({ ok: true, wrong: [bob] })
    })
  }

  test('names both when both are wrong', () => {
    const two = new Scene(
      task,
      worker('ann', task, { lie: (node, bytes) => (node === 6 ? bytes.map((byte) => byte ^ 7) : bytes) }),
      worker('bob', task, { lie: lieAt(6) }),
    )
    const found = two.settle()?.evidence
    if (found === undefined) throw new Error('it was not decided')
    const checked = checkEvidence(found, tools)
    expect(checked.ok && new Set(checked.wrong)).toEqual(new Set([ann, bob]))
  })

  test('asks for execution only where there is something to execute', () => {
    const never = () => {
      throw new Error('nothing is to be executed')
    }
    expect(checkEvidence(aboutOutput, { ...tools, reexecute: never })).toEqual({ ok: true, wrong: [bob] })
    expect(() => checkEvidence(aboutNode, { ...tools, reexecute: never })).toThrow()
  })
})

const garbage = digestOf(Buffer.from('garbage'))
const isBobA = aboutNode.a.statement.workerId === bob
/** The side's name of each in the evidence. */
const [liarSide, honestSide] = isBobA ? (['a', 'b'] as const) : (['b', 'a'] as const)
const [liarClaim, honestClaim] = isBobA ? (['claimA', 'claimB'] as const) : (['claimB', 'claimA'] as const)

function withParty(found: Evidence, side: 'a' | 'b', change: Partial<Party>): Evidence {
  return { ...found, [side]: { ...found[side], ...change } }
}

/** Says something else under the side's own key: what a liar, but no honest worker, can be made to sign. */
function resigned(
  found: Evidence,
  side: 'a' | 'b',
  change: Partial<Party['statement']>,
  name: string,
): Evidence {
  const statement = { ...found[side].statement, ...change }
  return withParty(found, side, { statement, attestation: attest(name, statement) })
}

/** Claims of both sides about another node, each with its true path. */
function at(node: number, digest?: Digest): Evidence {
  const claimOf = ({ leaves, tree }: TestWorker) => ({
    leafHash: traceLeafHash(leaves[node] as TraceLeaf, sha256),
    path: tree.path(node) ?? [],
  })
  const nodes = [node - 3, node - 2, node - 1].filter((each) => each >= 0)
  return {
    ...aboutNode,
    node,
    [honestClaim]: claimOf(honest),
    [liarClaim]: claimOf(liar),
    shown: liar.shown(nodes),
    digest: digest ?? (liar.leaves[node] as TraceLeaf).digest,
  }
}

const liarDigest = (liar.leaves[6] as TraceLeaf).digest
const [firstShown, ...otherShown] = aboutNode.shown
if (firstShown === undefined) throw new Error('node 6 takes others')

/** Everybody's lie, tried on a reader that has nothing but the evidence. */
const forgeries: readonly (readonly [string, Evidence, string])[] = [
  [
    'a signature of another batch',
    withParty(aboutNode, honestSide, { attestation: attest('ann', liar.party.statement) }),
    'badSignature',
  ],
  [
    'a signature made by somebody else',
    withParty(aboutNode, honestSide, { attestation: attest('bob', honest.party.statement) }),
    'badSignature',
  ],
  [
    'an output that the worker did not sign',
    withParty(aboutOutput, honestSide, { statement: { ...honest.party.statement, outputDigest: garbage } }),
    'badSignature',
  ],
  [
    'a trace that the worker did not sign',
    withParty(aboutNode, honestSide, { statement: { ...honest.party.statement, traceRoot: garbage } }),
    'badSignature',
  ],
  [
    'a task that the worker did not sign for',
    {
      ...withParty(
        withParty(aboutNode, 'a', { statement: { ...aboutNode.a.statement, taskId: taskIdOf('u') } }),
        'b',
        { statement: { ...aboutNode.b.statement, taskId: taskIdOf('u') } },
      ),
    },
    'badSignature',
  ],
  [
    "the forger's key in place of the worker's",
    withParty(aboutNode, honestSide, { publicKey: publicKeyOf('cat') }),
    'otherKey',
  ],
  [
    'an attestation that fits no batch',
    withParty(aboutNode, honestSide, { attestation: { ...honest.party.attestation, count: 3 } }),
    'noBatch',
  ],
  ["another task's result", resigned(aboutNode, liarSide, { taskId: taskIdOf('u') }, 'bob'), 'otherTask'],
  [
    "another program's result",
    resigned(aboutNode, liarSide, { programId: twoOutputs.programId }, 'bob'),
    'otherProgram',
  ],
  ["another input's result", resigned(aboutNode, liarSide, { inputDigest: garbage }, 'bob'), 'otherInput'],
  ["another seed's result", resigned(aboutNode, liarSide, { seed: 8n }, 'bob'), 'otherSeed'],
  [
    'what the orchestrator handed out, as if it were a result',
    resigned(aboutNode, liarSide, { role: 'delivery', outputDigest: undefined, traceRoot: undefined }, 'bob'),
    'notAResult',
  ],
  ['a result without a trace', resigned(aboutNode, liarSide, { traceRoot: undefined }, 'bob'), 'noTrace'],
  [
    'one worker on both sides',
    withParty(
      aboutNode,
      liarSide,
      worker('ann', task, { lie: lieAt(6), statement: { deliveryId: deliveryIdOf('2') } }).party,
    ),
    'sameWorker',
  ],
  ['two results that agree', withParty(aboutNode, liarSide, worker('bob', task).party), 'agree'],
  ['the bytes of another program', { ...aboutNode, program: twoOutputs.bytes }, 'wrongProgram'],
  [
    'the bytes of a program changed in one operand',
    { ...aboutNode, program: encodeProgram(program([12])) },
    'wrongProgram',
  ],
  [
    'an invented leaf for the honest side',
    { ...aboutNode, [honestClaim]: { ...aboutNode[honestClaim], leafHash: garbage } },
    'notInTrace',
  ],
  [
    "the liar's leaf for the honest side",
    {
      ...aboutNode,
      [honestClaim]: { path: aboutNode[honestClaim]?.path, leafHash: aboutNode[liarClaim]?.leafHash },
    } as Evidence,
    'notInTrace',
  ],
  [
    "the honest side's leaf with another's path",
    { ...aboutNode, [honestClaim]: { ...aboutNode[honestClaim], path: honest.tree.path(5) } } as Evidence,
    'notInTrace',
  ],
  [
    'a path cut short',
    {
      ...aboutNode,
      [honestClaim]: { ...aboutNode[honestClaim], path: honest.tree.path(6)?.slice(1) },
    } as Evidence,
    'notInTrace',
  ],
  [
    'a path grown',
    {
      ...aboutNode,
      [honestClaim]: { ...aboutNode[honestClaim], path: [...(honest.tree.path(6) ?? []), garbage] },
    } as Evidence,
    'notInTrace',
  ],
  ['the claims of one node under the number of another', { ...aboutNode, node: 7 }, 'notInTrace'],
  ['an inner hash as if it were a leaf', innerHashAsLeaf(), 'notInTrace'],
  [
    'the claims exchanged',
    { ...aboutNode, claimA: aboutNode.claimB, claimB: aboutNode.claimA },
    'notInTrace',
  ],
  ['a node that the program does not have', { ...aboutNode, node: 11 }, 'noSuchNode'],
  ['a node at which both are equal', at(5), 'sameClaim'],
  // The liar's own values lead to the liar's own leaf, so without the rule the honest side would be blamed here.
  ["a later node, executed from the liar's own values", at(7), 'notTheFirst'],
  ["a much later node, executed from the liar's own values", at(10), 'notTheFirst'],
  [
    'a value that was never in the trace',
    withShown([{ ...firstShown, leaf: { ...firstShown.leaf, digest: garbage } }, ...otherShown]),
    'wrongValues',
  ],
  [
    'a value read with another length',
    withShown([{ ...firstShown, leaf: { ...firstShown.leaf, byteLength: 39 } }, ...otherShown]),
    'wrongValues',
  ],
  ['values in another order', withShown(aboutNode.shown.toReversed()), 'wrongValues'],
  ["another node's value in place of one", withShown([...honest.shown([2]), ...otherShown]), 'wrongValues'],
  ['a value left out', withShown(otherShown), 'wrongValues'],
  ['a value twice', withShown([firstShown, ...aboutNode.shown]), 'wrongValues'],
  ['no values', withShown([]), 'wrongValues'],
  ['the digest that the liar gave', { ...aboutNode, digest: liarDigest }, 'otherDigest'],
  ['a digest that nobody gave', { ...aboutNode, digest: garbage }, 'otherDigest'],
  [
    'the digest of an output that the liar signed',
    { ...aboutOutput, digest: aboutOutput[liarSide].statement.outputDigest as Digest },
    'otherDigest',
  ],
  [
    'the digest of several outputs that the liar signed',
    { ...aboutTwo, digest: aboutTwo[liarSide].statement.outputDigest as Digest },
    'otherDigest',
  ],
  [
    'about the output although the traces differ',
    { ...aboutNode, node: undefined, claimA: undefined, claimB: undefined },
    'wrongBasis',
  ],
  [
    'about a node although the traces are equal',
    { ...aboutOutput, node: 6, claimA: aboutNode[honestClaim], claimB: aboutNode[honestClaim] },
    'sameClaim',
  ],
  ['about a node without a claim of one side', { ...aboutNode, [honestClaim]: undefined }, 'wrongBasis'],
  ['claims without a node', { ...aboutOutput, claimA: aboutNode[honestClaim] }, 'wrongBasis'],
]

function withShown(shown: Evidence['shown']): Evidence {
  return { ...aboutNode, shown }
}

/** The subtree over nodes 6 and 7 in place of node 6, with the path that leads from there. */
function innerHashAsLeaf(): Evidence {
  const halves = honest.tree.halves(4, 8)
  const path = honest.tree.path(6)?.slice(1) ?? []
  return { ...aboutNode, [honestClaim]: { leafHash: halves?.right, path } } as Evidence
}

describe(`evidence that is not: ${forgeries.length} forgeries`, () => {
  for (const [what, forged, kind] of forgeries) {
    test(what, () => {
      const checked = checkEvidence(forged, tools)
      expect<string>(checked.ok ? `accepted against ${checked.wrong}` : checked.problem.kind).toBe(kind)
    })
  }

  test('each of them differs from what is true', () => {
    for (const [, forged] of forgeries) {
      for (const true_ of [aboutNode, aboutOutput, aboutTwo]) expect(forged).not.toEqual(true_)
    }
  })

  test('what lacks blobs is not repeated, and says which', () => {
    const checked = checkEvidence(aboutNode, { ...tools, reexecute: () => undefined })
    const wanted = aboutNode.shown.map(({ leaf }) => leaf.digest)
    expect(checked).toEqual({ ok: false, problem: { kind: 'blobsMissing', blobs: wanted } })
  })

  test('the bytes of no program, or of one without nodes', () => {
    for (const [text, kind] of [
      ['no program', 'unreadableProgram'],
      [JSON.stringify({ ...program([0]), nodes: [] }), 'noNodes'],
    ] as const) {
      const bytes = Buffer.from(text)
      const programId = digestOf(Buffer.concat([Buffer.from('shardy/program/v1\0'), bytes])) as string
      const change = { programId: programId as Party['statement']['programId'] }
      const oneSide = resigned({ ...aboutNode, program: Uint8Array.from(bytes) }, liarSide, change, 'bob')
      const signed = resigned(oneSide, honestSide, change, 'ann')
      const checked = checkEvidence(signed, tools)
      expect<string>(checked.ok ? 'accepted' : checked.problem.kind).toBe(kind)
    }
  })

  test('claims about nothing have no encoding', () => {
    const rule = 'both sides have a claim about a node, and none about the output'
    expect(() => evidence.encode({ ...aboutNode, claimA: undefined })).toThrow(rule)
    expect(() => evidence.encode({ ...aboutOutput, claimB: aboutNode.claimB })).toThrow(rule)
    expect(() => evidence.encode({ ...aboutNode, node: undefined })).toThrow(rule)
  })
})

test('whatever is changed in its bytes, the honest side is never blamed', () => {
  const sources = [aboutNode, aboutOutput, aboutTwo].map((found) => evidence.encode(found))
  fc.assert(
    fc.property(fc.nat(2), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, place, change) => {
      const bytes = Uint8Array.from(sources[which] ?? [])
      const position = place % bytes.length
      bytes[position] = (bytes[position] ?? 0) ^ change
      const decoded = evidence.decode(bytes)
      if (!decoded.ok) return
      const checked = checkEvidence(decoded.value, tools)
      // Every byte counts: there is no second form of the same evidence.
      expect(checked.ok).toBe(false)
    }),
    { numRuns: 2_000 },
  )
})
