/** The audit log: shown, or checked from its first record on. */
import type { AuditHead, AuditVerdict } from '@shardy/sdk'
import type { Command, Options, Outcome } from '../command.ts'
import { Failure } from '../failure.ts'
import { count, printable, short, table } from '../wording.ts'

const limitMax = 1_000

function notedOf(options: Options): AuditHead | undefined {
  const text = options.text('noted')
  if (text === undefined) return undefined
  const [, sequence, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash !== undefined) return { sequence: Number(sequence), hash }
  throw new Failure(
    'usage',
    `--noted is '${text}'; it must be NUMBER:HASH, as \`shardy audit --verify\` prints it`,
  )
}

function describe(verdict: AuditVerdict): string {
  if (verdict.ok) {
    const { sequence, hash } = verdict.head
    return (
      `The chain of ${count(sequence, 'record')} holds.\n` +
      `Note its head somewhere else, to see later that nothing was cut off or written anew:\n  ${sequence}:${hash}`
    )
  }
  switch (verdict.kind) {
    case 'broken': {
      const { kind, sequence, expected, actual } = verdict.broken
      const what = {
        gap: `is missing: number ${expected} is due there, and ${actual} comes`,
        brokenLink: `does not follow the one before: it should carry ${expected} and carries ${actual}`,
        changed: `was changed: it says that its hash is ${expected}, and it is ${actual}`,
      }[kind]
      return `The chain is broken. Record ${sequence} ${what}.`
    }
    case 'notAsNoted':
      return (
        `The chain holds, but it is not the one that was noted: record ${verdict.noted.sequence} should be ` +
        `${verdict.noted.hash}, and there is ${verdict.found}.`
      )
    case 'cut':
      return (
        `The log is said to go to record ${verdict.claimed.sequence}, ` +
        `but nothing came behind record ${verdict.head.sequence}.`
      )
  }
}

export const audit: Command = {
  name: 'audit',
  summary: 'show what was done with more than a requester’s rights, or check that nobody changed it',
  operands: [],
  options: {
    limit: { value: 'N', what: `the last so many records, 1 to ${limitMax}; 20 unless given` },
    cursor: { value: 'NUMBER', what: 'records behind that one instead of the last' },
    verify: { what: 'fetch the whole log and compute its chain of hashes anew' },
    noted: {
      value: 'NUMBER:HASH',
      what: 'with --verify: a head that was noted earlier must be in the chain',
    },
  },
  async run({ options, operator, progress, world }): Promise<Outcome> {
    const noted = notedOf(options)
    if (noted !== undefined && !options.has('verify')) throw new Failure('usage', '--noted needs --verify')
    if (options.has('verify')) {
      const onProgress = (records: number) => progress.show(`checking: ${count(records, 'record')}`)
      const verdict = await operator.verifyAudit({ noted, onProgress, signal: world.signal })
      return { json: verdict, text: describe(verdict), exit: verdict.ok ? 'done' : 'badAudit' }
    }
    const limit = options.whole('limit', 1, limitMax) ?? 20
    const given = options.whole('cursor', 0, 10 ** 15 - 1)
    const { head } = given === undefined ? await operator.audit({ limit: 1 }) : { head: undefined }
    const cursor = given ?? Math.max(0, (head?.sequence ?? 0) - limit)
    const page = await operator.audit({ cursor: String(cursor), limit })
    if (page.records.length === 0) return { json: page, text: 'The audit log has no record there.' }
    const rows = page.records.map((record) => [
      String(record.sequence),
      new Date(record.atMs).toISOString().slice(0, 19),
      record.action,
      record.actor === undefined ? 'orchestrator' : short(record.actor),
      printable(record.address) || '-',
      [printable(record.subject), printable(record.detail)].filter((each) => each !== '').join(': '),
    ])
    return { json: page, text: table([['RECORD', 'AT', 'ACTION', 'BY', 'FROM', 'WHAT'], ...rows]) }
  },
}
