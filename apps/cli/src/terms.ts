/** What every order takes besides its work: the options in one place, and how they are read. */
import {
  featureLengthMax,
  featuresMax,
  parseVerify,
  priorityMax,
  regionLengthMax,
  replicasMax,
  rewardMicroCreditMax,
  taskTimeoutMsMax,
  taskTimeoutMsMin,
  tierMax,
  values,
} from '@shardy/protocol'
import type { TaskTerms } from '@shardy/sdk'
import type { Option, Options } from './command.ts'
import { Failure } from './failure.ts'

const policies = 'checked, quorum(n,k), audited(p) or adaptive'

/** `output` says what --to writes. */
export function termOptions(output: string): Readonly<Record<string, Option>> {
  return {
    verify: { value: 'HOW', what: `${policies}; checked unless given (above: what each proves)` },
    redundancy: {
      value: 'R',
      what: `1 to ${replicasMax}: R workers are asked and all must agree, as --verify 'quorum(R,R)'; 1: checked`,
    },
    proof: { value: 'PROOF', what: `${values.proofKinds.join(', ')}; v2 for exact tasks unless given` },
    priority: { value: 'N', what: `0 to ${priorityMax}, 9 first, among your own tasks; 5 unless given` },
    tier: { value: 'N', what: `the least tier of workers, 0 to ${tierMax}; any unless given` },
    feature: { value: 'F,…', what: 'features that the device must have, such as shader-f16' },
    region: { value: 'REGION', what: 'workers there are preferred' },
    reward: { value: 'MICRO', what: 'what they share, in millionths of a test credit; 1000 unless given' },
    timeout: { value: 'TIME', what: 'give up after that, such as 90s, 10min or 2h; 10min unless given' },
    wait: { what: 'wait until the task has ended' },
    'no-wait': { what: 'come back as soon as the task is taken, as without --wait' },
    to: { value: 'FILE', what: `with --wait: write ${output} there` },
  }
}

/** For `--help`, below the options. */
export const verifyHelp =
  'How the answer is verified: checked (one worker; the orchestrator checks its answer), quorum(n,k) (n workers are asked, k must\n' +
  'agree, who may collude), audited(p) (one worker; of 1000 answers p are checked, the others taken at their word) or adaptive\n' +
  '(checked the less often the more the worker has to lose). A task whose answer nobody checked ends as accepted, not verified.'

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 }

export function readTimeout(options: Options): number | undefined {
  const text = options.text('timeout')
  if (text === undefined) return undefined
  const [, count, unit = ''] = /^([1-9]\d{0,5})(s|min|h)$/.exec(text) ?? []
  const ms = Number(count) * (unitsMs[unit] ?? Number.NaN)
  if (ms >= taskTimeoutMsMin && ms <= taskTimeoutMsMax) return ms
  throw new Failure('usage', `--timeout is '${text}'; it must be such as 90s, 10min or 2h, at most 24h`)
}

function readFeatures(options: Options): string[] | undefined {
  const features = options.text('feature')?.split(',')
  const isGood = features?.every((each) => each.length <= featureLengthMax && /^[\x21-\x7e]+$/.test(each))
  if (features === undefined || (isGood && features.length <= featuresMax)) return features
  const bound = `at most ${featuresMax} words of at most ${featureLengthMax} characters, with commas between`
  throw new Failure('usage', `--feature is '${options.text('feature')}'; it must be ${bound}`)
}

export function readTerms(options: Options): TaskTerms {
  const verify = options.text('verify')
  if (verify !== undefined && parseVerify(verify) === undefined) {
    throw new Failure('usage', `--verify is '${verify}'; it must be ${policies}`, {
      next: "Quote it for the shell: --verify 'quorum(3,2)'.",
    })
  }
  const redundancy = options.whole('redundancy', 1, replicasMax)
  if (verify !== undefined && redundancy !== undefined) {
    throw new Failure('usage', '--verify says how many workers are asked; leave --redundancy out')
  }
  const named = options.text('proof')
  const proof = values.proofKinds.find((each) => each === named)
  if (named !== undefined && proof === undefined) {
    throw new Failure('usage', `--proof is '${named}'; it must be one of ${values.proofKinds.join(', ')}`)
  }
  const priority = options.whole('priority', 0, priorityMax)
  const tierMin = options.whole('tier', 0, tierMax)
  const features = readFeatures(options)
  const region = options.text('region')
  if (region !== undefined && !new RegExp(`^[\\x21-\\x7e]{1,${regionLengthMax}}$`).test(region)) {
    throw new Failure(
      'usage',
      `--region is '${region}'; it must be a word of at most ${regionLengthMax} characters`,
    )
  }
  const reward = options.decimal('reward', rewardMicroCreditMax)
  const timeoutMs = readTimeout(options)
  if (options.has('wait') && options.has('no-wait')) {
    throw new Failure('usage', '--wait and --no-wait cannot both be meant')
  }
  if (options.has('to') && !options.has('wait')) {
    throw new Failure('usage', '--to needs --wait: there is no output before the task has ended')
  }
  return {
    ...(verify !== undefined && { verify }),
    ...(redundancy !== undefined && { redundancy }),
    ...(proof !== undefined && { proof }),
    ...(priority !== undefined && { priority }),
    ...(tierMin !== undefined && { tierMin }),
    ...(features !== undefined && { features }),
    ...(region !== undefined && { region }),
    ...(reward !== undefined && { rewardMicroCredit: String(reward) }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
}
