/** Which cheats a check takes for honest: asked of the check as it is, and of its weakened copies. */
import type * as Checks from '../../src/check/index.ts'
import { sha256 } from '../sha256.ts'
import { cheats } from './cheats.ts'
import { attempt, honestClaim } from './claims.ts'
import { requestOf } from './requests.ts'

export function namesThrough({
  check,
  pureTools,
}: Pick<typeof Checks, 'check' | 'pureTools'>): readonly string[] {
  const tools = pureTools(sha256)
  const passes = (made: ReturnType<typeof attempt>) => check(requestOf('interactive', made), tools).ok
  if (!passes(attempt(honestClaim))) throw new Error('the honest claim is refused')
  return cheats.filter((cheat) => passes(cheat.attempt())).map(({ name }) => name)
}
