/**
 * The ceremony that makes the keys of a circuit: begun, contributed to by as many people as want to, verified by anyone,
 * closed with a beacon. What it stands on is loaded only here, when one of these commands is typed: it is under GPL-3.0.
 */
import { verifierVersionMax } from '@shardy/protocol'
import type { CeremonyReport, ContributionEntry, Transcript } from '@shardy/snark'
import type { Call, Command, Options, Outcome } from '../command.ts'
import { Failure } from '../failure.ts'
import { readBytesFrom } from '../files.ts'
import { count, printable, table } from '../wording.ts'

const entropyBytesMax = 2 ** 20

type Snark = typeof import('@shardy/snark')

/** Its errors in the words and exits of the command line. */
async function withSnark<T>(act: (snark: Snark) => Promise<T>): Promise<T> {
  const snark = await import('@shardy/snark')
  try {
    return await act(snark)
  } catch (error) {
    if (!(error instanceof snark.CeremonyError)) throw error
    const exit = ({ file: 'file', request: 'usage', refused: 'badCeremony' } as const)[error.kind]
    const name = error.refusal === undefined ? '' : ` (${error.refusal.code})`
    throw new Failure(exit, `${error.message}${name}`, { next: error.next, cause: error })
  }
}

function requiredText(options: Options, name: string, what: string): string {
  const given = options.text(name)
  if (given !== undefined) return given
  throw new Failure('usage', `--${name} is missing`, { next: `Give ${what}.` })
}

/** Who wants to stop is heard here: what is going on ends with the step that it has come to. */
const onProgress =
  ({ progress, world }: Call) =>
  (doing: string) => {
    world.signal.throwIfAborted()
    progress.show(doing)
  }

/** Sixteen digits to a group, four groups to a line: what people compare by eye. */
const grouped = (hex: string): string =>
  (hex.match(/.{1,64}/g) ?? []).map((line) => `  ${(line.match(/.{1,16}/g) ?? []).join(' ')}`).join('\n')

const wordsOfHash = ({ wordsOf }: Snark, hash: string): string =>
  wordsOf(Uint8Array.from(Buffer.from(hash.slice(0, 32), 'hex')))

const developmentWarning =
  'DEVELOPMENT ONLY: one person made its powers of tau, and could know their secret and forge proofs.\n' +
  'A key for real use begins with --ptau and a file of a public phase 1 ceremony.'

function describeSources({ circuit, phase1 }: Transcript): string {
  return table([
    [
      '  circuit',
      `${circuit.name}, ${count(circuit.constraints, 'constraint')}, ${count(circuit.publicSignals, 'public signal')}`,
    ],
    ['', `SHA-256 ${circuit.sha256}`],
    [
      '  powers of tau',
      `to 2^${phase1.power}, ${count(phase1.contributions, 'contribution')} by its own record`,
    ],
    ['', `SHA-256 ${phase1.sha256}`],
  ])
}

export const ceremonyInit: Command = {
  name: 'ceremony init',
  summary: 'begin a ceremony that makes the key of a circuit',
  operands: ['CIRCUIT.r1cs'],
  options: {
    ptau: { value: 'FILE', what: 'prepared powers of tau of a public ceremony (.ptau)' },
    power: { value: 'N', what: 'instead, development only: make powers of tau to 2^N here' },
    out: { value: 'DIR', what: 'the folder of the ceremony; not there yet' },
    circuit: { value: 'NAME', what: 'the circuit’s name; that of its file unless given' },
  },
  example: 'ceremony init task-proof-v2.r1cs --ptau powers.ptau --out ceremony-v2',
  more:
    'Asks nobody and sends nothing. The first key follows from the circuit and the powers of tau alone: everyone gets the\n' +
    'same. docs/ceremony.md says who does what, what to publish, and what trust results.',
  async run(call): Promise<Outcome> {
    const { operands, options, onInterrupt } = call
    const [r1cs] = operands as [string]
    const folder = requiredText(options, 'out', 'a folder that is not there yet with --out DIR')
    const [file, hasPower] = [options.text('ptau'), options.has('power')]
    if ((file !== undefined) === hasPower) {
      throw new Failure('usage', hasPower ? '--ptau and --power exclude each other' : '--ptau is missing', {
        next: 'Give --ptau FILE, or for development only --power N.',
      })
    }
    onInterrupt(`Nothing was written to ${folder}.`)
    return withSnark(async (snark) => {
      const { min, max } = snark.developmentPower
      const transcript = await snark.initCeremony({
        r1cs,
        phase1:
          file === undefined
            ? { kind: 'development', power: options.whole('power', min, max) ?? min }
            : { kind: 'file', file },
        folder,
        circuit: options.text('circuit'),
        onProgress: onProgress(call),
      })
      const text = [
        `The ceremony of ${transcript.circuit.name} has begun in ${folder}:`,
        describeSources(transcript),
        ...(transcript.phase1.trust === 'development' ? ['', developmentWarning] : []),
        '',
        `Next: publish both SHA-256, and hand the folder to the first contributor, who types\n  npx shardy ceremony contribute ${folder} --name NAME`,
      ]
      return { json: { folder, ...transcript }, text: text.join('\n') }
    })
  },
}

const question =
  'Type anything that nobody can guess (not shown; Enter ends it, and Enter alone adds nothing): '

async function entropyOf({ options, world, progress }: Call): Promise<Uint8Array | undefined> {
  const file = options.text('entropy')
  if (file !== undefined) return readBytesFrom(file, entropyBytesMax)
  progress.clear()
  const typed = await world.askSecret(question)
  if (typed === undefined)
    world.tell('No terminal to type at: the randomness is the operating system’s alone.\n')
  return typed
}

const statementOf = (snark: Snark, { circuit }: Transcript, entry: ContributionEntry): string =>
  `I am contributor ${entry.index} (${printable(entry.name)}) to the ceremony of ${circuit.name}.\n` +
  `The hash of my contribution, BLAKE2b-512:\n${grouped(entry.hash)}\n` +
  `Its first 16 bytes in words:\n  ${wordsOfHash(snark, entry.hash)}`

export const ceremonyContribute: Command = {
  name: 'ceremony contribute',
  summary: 'add your randomness to the key, once what is there was checked',
  operands: ['DIR'],
  options: {
    name: { value: 'NAME', what: 'your name in the transcript, for everyone to see' },
    entropy: {
      value: 'FILE',
      what: 'bytes to mix in instead of what you type (dice, a camera); erase the file afterwards',
    },
  },
  example: 'ceremony contribute ceremony-v2 --name Alice',
  more:
    'A secret is drawn from the operating system’s randomness and what you type. The key is multiplied by it, and it is\n' +
    'forgotten: whoever knew every contributor’s secret could forge proofs, so one who forgets is enough. What is overwritten\n' +
    'is overwritten; copies in the memory of this process, in swap or in a memory dump cannot be reached from here. If that\n' +
    'worries you: a machine without swap, switched off afterwards. Stopped half-way, type the same again: it is finished.',
  async run(call): Promise<Outcome> {
    const { operands, options, onInterrupt, world } = call
    const [folder] = operands as [string]
    const name = requiredText(options, 'name', 'a name for everyone to see with --name NAME')
    onInterrupt(`${folder} is whole. Type the same again to contribute, or to finish what was begun.`)
    return withSnark(async (snark) => {
      const { transcript, entry, isResumed } = await snark.contribute({
        folder,
        name,
        askEntropy: () => entropyOf(call),
        nowMs: world.nowMs,
        onProgress: onProgress(call),
      })
      const text = [
        isResumed
          ? `What an earlier call had begun is finished: ${entry.key.file} holds ${count(entry.index, 'contribution')}.`
          : `Contributed: ${entry.key.file} holds ${count(entry.index, 'contribution')}.`,
        '',
        'Publish this where people know that it is you, so that nobody can put another in its place:',
        '',
        statementOf(snark, transcript, entry),
        '',
        'The randomness was overwritten where that can be done; what is left in memory goes with this process, unless the',
        `system wrote it to swap. Next: send the folder ${folder} back, or on to the next contributor.`,
      ]
      return { json: { folder, isResumed, contribution: entry }, text: text.join('\n') }
    })
  },
}

function describeReport(snark: Snark, folder: string, report: CeremonyReport): string {
  const { transcript, people, isClosed } = report
  const rows = transcript.contributions.map((entry) => [
    `  ${entry.index}`,
    printable(entry.name),
    entry.kind === 'beacon' ? `beacon ${entry.beacon?.value}` : entry.at.slice(0, 16).replace('T', ' '),
    wordsOfHash(snark, entry.hash),
  ])
  const open: string[] = []
  if (!report.comparedCircuit)
    open.push('Which circuit it is about: build the .r1cs from source yourself and give it with --r1cs.')
  if (transcript.phase1.trust === 'ceremony' && !report.comparedPhase1)
    open.push(
      `Which powers of tau it stands on: give your own download with --ptau, or compare the published BLAKE2b-512:\n${grouped(transcript.phase1.blake2b512)}`,
    )
  if (!report.checkedPhase1)
    open.push('Whether the powers of tau themselves hold: --phase1 checks them (slow).')
  if (!isClosed) open.push('That it is over: no beacon was applied, and others may still contribute.')
  if (report.unlisted !== undefined)
    open.push(
      `${report.unlisted} is there and not in the transcript; who made it types \`contribute\` again to finish.`,
    )
  open.push(
    'Who the contributors are, whether one of them forgot the secret, and the times, which are their own.',
  )
  return [
    `The ceremony in ${folder} holds: ${count(people, 'contribution')} by people${isClosed ? ', closed with a beacon' : ''}.`,
    describeSources(transcript),
    ...(rows.length === 0
      ? []
      : ['', table([['  NO', 'NAME', 'AT', 'HASH IN WORDS (FIRST 16 BYTES)'], ...rows])]),
    ...(people === 0 ? ['', 'NOBODY HAS CONTRIBUTED YET: under this key anyone can forge proofs.'] : []),
    ...(transcript.phase1.trust === 'development' ? ['', developmentWarning] : []),
    '',
    'What this does not say:',
    ...open.map((line) => `  - ${line.replaceAll('\n', '\n    ')}`),
  ].join('\n')
}

export const ceremonyVerify: Command = {
  name: 'ceremony verify',
  summary: 'check a whole ceremony as a stranger: key, transcript, every contribution',
  operands: ['DIR'],
  options: {
    r1cs: { value: 'FILE', what: 'your own build of the circuit, which it must be about' },
    ptau: { value: 'FILE', what: 'your own download of the powers of tau, which it must stand on' },
    phase1: { what: 'check the powers of tau themselves too; minutes for a large file' },
  },
  example: 'ceremony verify ceremony-v2 --r1cs task-proof-v2.r1cs --ptau powers.ptau',
  more: 'Makes the first key anew and follows every contribution from it. Exit code 14 and the name of what is wrong if it does not hold.',
  async run(call): Promise<Outcome> {
    const { operands, options } = call
    const [folder] = operands as [string]
    return withSnark(async (snark) => {
      const verdict = await snark.verifyCeremony({
        folder,
        r1cs: options.text('r1cs'),
        ptau: options.text('ptau'),
        phase1: options.has('phase1'),
        onProgress: onProgress(call),
      })
      if (verdict.ok)
        return {
          json: { holds: true, ...verdict.report },
          text: describeReport(snark, folder, verdict.report),
        }
      const { code, detail } = verdict.refusal
      return {
        exit: 'badCeremony',
        json: { holds: false, refusal: verdict.refusal },
        text: `The ceremony in ${folder} does NOT hold: ${code}\n  ${printable(detail)}`,
      }
    })
  },
}

export const ceremonyFinalize: Command = {
  name: 'ceremony finalize',
  summary: 'close a ceremony with a public beacon, and write its key, verifying key and manifest entry',
  operands: ['DIR'],
  options: {
    beacon: {
      value: 'HEX',
      what: 'a public value nobody could know before the last contribution, 16 to 255 bytes',
    },
    iterations: { value: 'N', what: 'hash the beacon 2^N times, 10 to 20; 10 unless given' },
    out: { value: 'DIR', what: 'the folder for the results; not there yet' },
    'verifier-version': { value: 'N', what: 'the number of this key in the manifest' },
    kind: { value: 'KIND', what: 'v2 or v3; follows from the circuit’s name unless given' },
    wasm: { value: 'FILE', what: 'the circuit’s witness generator, to lie beside the key' },
  },
  example:
    'ceremony finalize ceremony-v2 --beacon 6c3a7a1bd0f1c24e9d7c0f3b52a9e8d1 --verifier-version 4 \\\n    --wasm task-proof-v2.wasm --out keys-v2',
  more:
    'Announce before the last contribution which beacon it will be: the hash of a block that does not exist yet, a round of\n' +
    'drand. The entry says trust `ceremony`, or `development` when one person made the powers of tau. Nothing is\n' +
    'overwritten; stopped half-way, type the same again.',
  async run(call): Promise<Outcome> {
    const { operands, options, onInterrupt, world } = call
    const [folder] = operands as [string]
    const into = requiredText(options, 'out', 'a folder that is not there yet with --out DIR')
    const beaconHex = requiredText(options, 'beacon', 'the announced public value with --beacon HEX').replace(
      /^0x/,
      '',
    )
    const verifierVersion = options.whole('verifier-version', 1, verifierVersionMax)
    if (verifierVersion === undefined) {
      throw new Failure('usage', '--verifier-version is missing', {
        next: 'Give the number that this key gets in the manifest, larger than all that are there.',
      })
    }
    const wasm = requiredText(options, 'wasm', 'the circuit’s witness generator with --wasm FILE')
    const iterationsExponent = options.whole('iterations', 10, 20)
    onInterrupt('Nothing is half-written. Type the same again to finish.')
    return withSnark(async (snark) => {
      const { transcript, manifestEntry, files } = await snark.finalizeCeremony({
        folder,
        into,
        beaconHex,
        ...(iterationsExponent !== undefined && { iterationsExponent }),
        verifierVersion,
        kind: options.text('kind'),
        wasm,
        nowMs: world.nowMs,
        onProgress: onProgress(call),
      })
      const { trust, contributions } = manifestEntry
      const text = [
        `The ceremony is closed and holds: ${count(contributions.length - 1, 'contribution')} by people, and the beacon.`,
        `In ${into}: ${files.join(', ')}`,
        `Trust of the key: ${trust}.`,
        ...(trust === 'development' ? [developmentWarning] : []),
        '',
        `Next: publish ${folder}, so that anyone can type\n  npx shardy ceremony verify ${folder} --r1cs FILE --ptau FILE`,
      ]
      return {
        json: { into, files, manifestEntry, contributions: transcript.contributions },
        text: text.join('\n'),
      }
    })
  },
}
