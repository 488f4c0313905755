/** How stores of older programs become of this one's schema, run in order when the store is opened. */
import type { Migration } from '@shardy/storage'
import { from3to4 } from './from3to4.ts'
import { from4to5 } from './from4to5.ts'
import { from5to6 } from './from5to6.ts'

export const migrations: readonly Migration[] = [from3to4, from4to5, from5to6]
