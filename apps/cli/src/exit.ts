/** How a command ends: every exit code with its meaning, in one table that `--help` prints. */
export const exits = {
  done: {
    code: 0,
    meaning: 'done; for wait: every task is verified; for receipt and evidence check: it holds',
  },
  failed: { code: 1, meaning: 'a bug, or something nobody thought of' },
  usage: { code: 2, meaning: 'a command, option or setting that cannot be' },
  unreachable: { code: 3, meaning: 'nobody answers at the address' },
  notAllowed: { code: 4, meaning: 'the API key is missing, not known there, or does not allow this' },
  refused: { code: 5, meaning: 'the orchestrator refused the request' },
  unexpectedAnswer: { code: 6, meaning: 'something answered, but not as an orchestrator does' },
  notVerified: { code: 7, meaning: 'the task, or an item of the campaign, ended without being verified' },
  badReceipt: { code: 8, meaning: 'the receipt is malformed, or forged, or of another orchestrator' },
  wrongBytes: { code: 9, meaning: 'what came does not have the digest that it should have' },
  file: { code: 10, meaning: 'a file cannot be read or written' },
  badAudit: { code: 11, meaning: 'the audit log was changed, or is not the one that was noted' },
  accepted: {
    code: 12,
    meaning: 'the task, or an item of the campaign, ended with an answer that nobody checked',
  },
  badEvidence: { code: 13, meaning: 'the evidence is malformed, forged, or proves nothing' },
  badCeremony: { code: 14, meaning: 'the key or the transcript of a ceremony does not hold' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C or a signal; tasks go on' },
  unread: { code: 141, meaning: 'nobody reads the output any more' },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>

export type Exit = keyof typeof exits
