/** The settings of a provider out of its environment. What cannot be is refused with the value and what would do. */
import { type MicroCredit, operatorLengthMax, regionLengthMax, slotsMax } from '@shardy/protocol'

const executorChoices = ['auto', 'webgpu', 'cpu'] as const
export type ExecutorChoice = (typeof executorChoices)[number]

export interface Config {
  readonly url: string
  readonly data: string
  readonly executor: ExecutorChoice
  readonly slots: number
  /** Where it stands, to be given what is wanted from there. */
  readonly region: string
  /** Whose it is: workers of one operator are never asked to agree with each other. */
  readonly operator: string
  /** The least it works for: micro-credits for 10^9 operations. */
  readonly askMicroCredit: MicroCredit
  /** Whoever started us holds our stdin open; when it closes, they are gone. */
  readonly endWithParent: boolean
}

export type ReadConfig =
  | { readonly ok: true; readonly value: Config }
  | { readonly ok: false; readonly message: string }

type Environment = Readonly<Record<string, string | undefined>>

function isChoice(text: string): text is ExecutorChoice {
  return executorChoices.some((choice) => choice === text)
}

function refuse(name: string, actual: string, expected: string): ReadConfig {
  return { ok: false, message: `${name} is '${actual}'; it must be ${expected}` }
}

/** As the wire takes it: printable ASCII. */
function isName(text: string, lengthMax: number): boolean {
  return text.length <= lengthMax && /^[\x20-\x7e]*$/.test(text)
}

function nameRule(lengthMax: number): string {
  return `at most ${lengthMax} letters, digits or signs of ASCII`
}

export function readConfig(environment: Environment): ReadConfig {
  const read = (name: string, otherwise: string): string => environment[name] || otherwise

  const url = read('SHARDY_URL', 'http://127.0.0.1:7700')
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(protocol)) {
    return refuse('SHARDY_URL', url, 'the http or https address of an orchestrator')
  }
  const executor = read('SHARDY_EXECUTOR', 'auto')
  if (!isChoice(executor)) {
    return refuse('SHARDY_EXECUTOR', executor, `one of ${executorChoices.join(', ')}`)
  }
  const slotsText = read('SHARDY_SLOTS', '2')
  const slots = /^\d{1,3}$/.test(slotsText) ? Number(slotsText) : 0
  if (slots < 1 || slots > slotsMax) {
    return refuse('SHARDY_SLOTS', slotsText, `a whole number from 1 to ${slotsMax}`)
  }
  const region = read('SHARDY_REGION', '')
  if (!isName(region, regionLengthMax)) return refuse('SHARDY_REGION', region, nameRule(regionLengthMax))
  const operator = read('SHARDY_OPERATOR', '')
  if (!isName(operator, operatorLengthMax)) {
    return refuse('SHARDY_OPERATOR', operator, nameRule(operatorLengthMax))
  }
  const ask = read('SHARDY_ASK', '0')
  if (!/^\d{1,15}$/.test(ask)) {
    return refuse(
      'SHARDY_ASK',
      ask,
      'a whole number of micro-credits for 10^9 operations, of 15 digits at most',
    )
  }
  const parent = read('SHARDY_PARENT', '')
  if (parent !== '' && parent !== 'pipe') return refuse('SHARDY_PARENT', parent, 'pipe, or not set')

  const data = read('SHARDY_DATA', '.shardy')
  const askMicroCredit = BigInt(ask) as MicroCredit
  const endWithParent = parent === 'pipe'
  return { ok: true, value: { url, data, executor, slots, region, operator, askMicroCredit, endWithParent } }
}
