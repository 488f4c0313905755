/** All of them: each has to be found. */
import type { Plant } from '../plant.ts'
import { dispatch } from './dispatch.ts'
import { money } from './money.ts'
import { restart } from './restart.ts'
import { verdicts } from './verdicts.ts'

export const plants: readonly Plant[] = [...money, ...restart, ...dispatch, ...verdicts]
