/** The table of commands: what can be typed, and what `--help` shows. */
import type { Command } from './command.ts'
import { audit } from './commands/audit.ts'
import { backup, backupCheck, restore } from './commands/backup.ts'
import { balance } from './commands/balance.ts'
import {
  campaignCancel,
  campaignCreate,
  campaignList,
  campaignPause,
  campaignResults,
  campaignResume,
  campaignShow,
  campaignWatch,
} from './commands/campaign.ts'
import { ceremonyContribute, ceremonyFinalize, ceremonyInit, ceremonyVerify } from './commands/ceremony.ts'
import {
  deadLetters,
  deadLettersList,
  deadLettersPurge,
  deadLettersRequeue,
  deadLettersShow,
} from './commands/deadLetters.ts'
import {
  dispatch,
  dispatchDrain,
  dispatchPause,
  dispatchResume,
  dispatchStatus,
} from './commands/dispatch.ts'
import { events } from './commands/events.ts'
import { evidenceCheck, evidenceFetch } from './commands/evidenceCheck.ts'
import { health } from './commands/health.ts'
import { importModel } from './commands/importModel.ts'
import { keyCreate, keyList, keyRevoke } from './commands/key.ts'
import { programShow } from './commands/programShow.ts'
import { quoteCommands } from './commands/quote.ts'
import { receipt } from './commands/receipt.ts'
import { receiptCheck } from './commands/receiptCheck.ts'
import { submitCommands } from './commands/submit.ts'
import { cancel, forget, get, list, output, wait } from './commands/task.ts'
import { workerDrain, workerShow, workers, workerUndrain } from './commands/worker.ts'

export const commands: readonly Command[] = [
  ...submitCommands,
  ...quoteCommands,
  programShow,
  importModel,
  wait,
  events,
  get,
  list,
  cancel,
  output,
  receipt,
  receiptCheck,
  forget,
  campaignCreate,
  campaignList,
  campaignShow,
  campaignWatch,
  campaignPause,
  campaignResume,
  campaignCancel,
  campaignResults,
  balance,
  evidenceFetch,
  evidenceCheck,
  deadLetters,
  deadLettersList,
  deadLettersShow,
  deadLettersRequeue,
  deadLettersPurge,
  workers,
  workerShow,
  workerDrain,
  workerUndrain,
  dispatch,
  dispatchStatus,
  dispatchPause,
  dispatchResume,
  dispatchDrain,
  health,
  keyCreate,
  keyList,
  keyRevoke,
  audit,
  backup,
  backupCheck,
  restore,
  ceremonyInit,
  ceremonyContribute,
  ceremonyVerify,
  ceremonyFinalize,
]
