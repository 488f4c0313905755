/** The table of commands: what can be typed, and what `--help` shows. */
import type { Command } from './command.ts'
import { audit } from './commands/audit.ts'
import { balance } from './commands/balance.ts'
import {
  deadLetters,
  deadLettersList,
  deadLettersPurge,
  deadLettersRequeue,
  deadLettersShow,
} from './commands/deadLetters.ts'
import { events } from './commands/events.ts'
import { evidenceCheck, evidenceFetch } from './commands/evidenceCheck.ts'
import { importModel } from './commands/importModel.ts'
import { keyCreate, keyList, keyRevoke } from './commands/key.ts'
import { health, workers } from './commands/network.ts'
import { programShow } from './commands/programShow.ts'
import { receipt } from './commands/receipt.ts'
import { receiptCheck } from './commands/receiptCheck.ts'
import { submitLite } from './commands/submitLite.ts'
import { submitMatmul } from './commands/submitMatmul.ts'
import { submitProgram } from './commands/submitProgram.ts'
import { submitShader } from './commands/submitShader.ts'
import { cancel, forget, get, list, output, wait } from './commands/task.ts'

export const commands: readonly Command[] = [
  submitMatmul,
  submitProgram,
  submitShader,
  submitLite,
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
  balance,
  evidenceFetch,
  evidenceCheck,
  deadLetters,
  deadLettersList,
  deadLettersShow,
  deadLettersRequeue,
  deadLettersPurge,
  workers,
  health,
  keyCreate,
  keyList,
  keyRevoke,
  audit,
]
