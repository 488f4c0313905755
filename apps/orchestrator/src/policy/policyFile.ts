/**
 * The policy file (`SHARDY_POLICY`): tiers, trust and dispatch as an operator writes them, in JSON. What is left out keeps its
 * default; a field that is unknown, twice there, of another type or out of its bounds is refused, by name, with the value.
 */
import { type AdmissionPolicy, checkedAdmissionPolicy, defaultAdmissionPolicy } from '@shardy/admission'
import { type DispatchPolicy, defaultPolicy, trust } from '@shardy/dispatch'
import { deliveriesPerTaskMax, payloadBytesMax } from '@shardy/protocol'
import { repeatedKey } from './repeatedKey.ts'

export interface Policy {
  readonly admission: AdmissionPolicy
  /** With its trust policy within. */
  readonly dispatch: DispatchPolicy
}

export const defaults: Policy = { admission: defaultAdmissionPolicy, dispatch: defaultPolicy }

export interface PolicyRefusal {
  /** With the section, such as `trust.boundPpm`; empty: the file itself. */
  readonly field: string
  readonly value: string
  readonly bound: string
}

export type ReadPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly refusal: PolicyRefusal }

const bytesMax = 1024 * 1024
const shownMax = 80
const dayMs = 86_400_000

class Refused extends Error {
  readonly refusal: PolicyRefusal
  constructor(refusal: PolicyRefusal) {
    super(refusal.field)
    this.refusal = refusal
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

function refuse(field: string, value: unknown, bound: string): never {
  throw new Refused({ field, value: shown(value), bound })
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(field: string, value: unknown, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(field, value, `an object with any of ${known.join(', ')}`)
  }
  const name = Object.keys(value).find((each) => !known.includes(each))
  if (name === undefined) return value as Fields
  return refuse(within(field, name), (value as Fields)[name], `one of ${known.join(', ')}`)
}

const within = (section: string, name: string): string => (section === '' ? name : `${section}.${name}`)

/** The defaults with what the file says instead; the default tells of which type a field is. */
function merge<T extends object>(section: string, given: unknown, otherwise: T): T {
  const fields = fieldsOf(section, given, Object.keys(otherwise))
  const merged: Record<string, unknown> = { ...(otherwise as Fields) }
  for (const [name, value] of Object.entries(fields)) {
    merged[name] = read(within(section, name), value, merged[name])
  }
  return merged as T
}

function read(field: string, value: unknown, otherwise: unknown): unknown {
  if (typeof otherwise === 'bigint') {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    if (typeof value === 'string' && /^-?\d{1,30}$/.test(value)) return BigInt(value)
    return refuse(field, value, 'a whole number, or its digits as text')
  }
  if (Array.isArray(otherwise)) {
    if (!Array.isArray(value) || value.length !== otherwise.length) {
      return refuse(field, value, `a list of ${otherwise.length}`)
    }
    return value.map((each, index) => merge(`${field}.${index}`, each, otherwise[index] as object))
  }
  return typeof value === 'number' ? value : refuse(field, value, 'a number')
}

type DispatchNumber = Exclude<keyof DispatchPolicy, 'trust'>

/** Whole numbers but for the two factors. */
function checkDispatch(policy: Omit<DispatchPolicy, 'trust'>): void {
  const bounds: Readonly<Record<DispatchNumber, readonly [least: number, most: number]>> = {
    liveTasksMax: [1, 10_000_000],
    liveTasksPerRequesterMax: [1, policy.liveTasksMax],
    attemptsMax: [1, deliveriesPerTaskMax],
    leaseMsMin: [100, policy.leaseMsMax],
    leaseMsMax: [1_000, 7 * dayMs],
    leaseFactor: [1, 1_000],
    operationsPerSecondMin: [1, Number.MAX_SAFE_INTEGER],
    transferBytesPerSecond: [1, Number.MAX_SAFE_INTEGER],
    blockProofMs: [0, dayMs],
    revealMs: [100, dayMs],
    backoffMsMin: [1, policy.backoffMsMax],
    backoffMsMax: [1, dayMs],
    heldBytesMax: [2 * payloadBytesMax, 2 ** 40],
    prefetchMs: [0, 60_000],
    driftFactor: [0, 1],
    benchmarkPauseMs: [0, dayMs],
    reputationHalfLifeMs: [1_000, 365 * dayMs],
  }
  for (const [name, [least, most]] of Object.entries(bounds) as [
    DispatchNumber,
    readonly [number, number],
  ][]) {
    const value = policy[name]
    const isPart = name === 'leaseFactor' || name === 'driftFactor'
    const isGood = isPart ? Number.isFinite(value) : Number.isSafeInteger(value)
    if (isGood && value >= least && value <= most) continue
    refuse(`dispatch.${name}`, value, `${isPart ? 'a number' : 'a whole number'} from ${least} to ${most}`)
  }
}

interface Fault {
  readonly field: string
  readonly value: number | bigint
  readonly least: number | bigint
  readonly most: number | bigint
}

function refuseFault(section: string, fault: Fault | undefined): void {
  if (fault === undefined) return
  const { field, value, least, most } = fault
  refuse(`${section}.${field}`, value, `a whole number from ${least} to ${most}`)
}

function parse(text: string): unknown {
  if (text.length > bytesMax) refuse('', `${text.length} characters`, `at most ${bytesMax}`)
  try {
    return JSON.parse(text)
  } catch (error) {
    return refuse('', text, `JSON: ${(error as Error).message}`)
  }
}

export function readPolicy(text: string): ReadPolicy {
  try {
    const file = parse(text)
    const twice = repeatedKey(text)
    if (twice !== undefined) refuse(twice, 'twice', 'a field once')
    const sections = fieldsOf('', file, ['admission', 'trust', 'dispatch'])
    const { trust: trustDefaults, ...dispatchDefaults } = defaults.dispatch
    const admission = merge('admission', sections.admission ?? {}, defaults.admission)
    refuseFault('admission', checkedAdmissionPolicy(admission))
    const trustPolicy = merge('trust', sections.trust ?? {}, trustDefaults)
    refuseFault('trust', trust.checkedTrustPolicy(trustPolicy))
    const dispatch = merge('dispatch', sections.dispatch ?? {}, dispatchDefaults)
    checkDispatch(dispatch)
    return { ok: true, policy: { admission, dispatch: { ...dispatch, trust: trustPolicy } } }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal }
    throw error
  }
}

/** All that is in force, in the form that is read: it can be saved and given back. There is no secret in it. */
export function writePolicy({ admission, dispatch }: Policy): string {
  const { trust: trustPolicy, ...rest } = dispatch
  return JSON.stringify({ admission, trust: trustPolicy, dispatch: rest }, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}
