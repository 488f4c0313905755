/** What a person can do about each way in which a connection or the page itself fails. One exhaustive table each. */
import type { RefusalCode } from '@shardy/protocol'
import type { Reason } from '@shardy/worker'
import type { IdentityStoreFault } from '../identity.ts'
import type { Failure } from '../station/failure.ts'

export interface Words {
  readonly headline: string
  readonly advice: string
}

const ourFault =
  'This is a fault in the page or the orchestrator, not on your side. Reload the page to get its newest version.'
const comesBack = 'There is nothing to do: the page tries again by itself.'

const refusals: Record<RefusalCode, Words> = {
  malformedFrame: { headline: 'The orchestrator did not understand this page', advice: ourFault },
  unexpectedFrame: { headline: 'The orchestrator did not expect what this page said', advice: ourFault },
  frameTooLarge: { headline: 'This page said more than the orchestrator accepts', advice: ourFault },
  unsupportedVersion: {
    headline: 'This page is too old or too new for the orchestrator',
    advice: 'Reload the page to get the version that belongs to it.',
  },
  badSignature: {
    headline: 'The orchestrator did not accept the signature of this worker',
    advice:
      'Reload the page. If it stays like this, the key that this browser keeps for the page is damaged.',
  },
  replayedHello: { headline: 'The orchestrator had already seen this greeting', advice: comesBack },
  identityInUse: {
    headline: 'This worker is already connected elsewhere',
    advice:
      'A worker can be in one place at a time. Close the other tab; if there is none, its old connection ends within a minute. Then try again.',
  },
  handshakeTimeout: { headline: 'The greeting took too long', advice: comesBack },
  heartbeatMissed: {
    headline: 'The orchestrator heard nothing from this page for a while',
    advice: 'That happens when a computer sleeps or a tab is put to sleep. The page tries again by itself.',
  },
  overloaded: { headline: 'The orchestrator has all the workers it can serve', advice: comesBack },
  belowMinimum: {
    headline: 'This device was measured too slow for this orchestrator',
    advice:
      'Close what else keeps it busy and leave the tab visible while it is measured; the page tries again.',
  },
  benchmarkFailed: {
    headline: 'This device did not pass the benchmark',
    advice: 'It was too late, or computed something else. Leave the tab visible; the page tries again.',
  },
  shuttingDown: { headline: 'The orchestrator is shutting down', advice: comesBack },
}

export function refusalWords(code: RefusalCode): Words {
  return refusals[code]
}

/** Why there is no connection. `wasAdmitted`: whether there has been one. */
export function reasonWords(reason: Reason, orchestrator: string, wasAdmitted: boolean): Words {
  switch (reason.kind) {
    case 'refused':
      return refusals[reason.code]
    case 'connectionClosed':
      return wasAdmitted
        ? { headline: 'The connection was lost', advice: comesBack }
        : {
            headline: 'Cannot reach the orchestrator',
            advice: `Nothing answers at ${orchestrator}. Check that you are online and that the orchestrator is running; the page keeps trying.`,
          }
    case 'handshakeTimeout':
      return {
        headline: 'The orchestrator does not answer',
        advice: `Something is at ${orchestrator}, but it does not speak to this page. The page keeps trying.`,
      }
    case 'heartbeatUnanswered':
      return { headline: 'The orchestrator fell silent', advice: comesBack }
    case 'malformedFrame':
    case 'textFrame':
    case 'unexpectedFrame':
    case 'unusableHeartbeat':
    case 'duplicateDelivery':
    case 'unusableBenchmark':
    case 'unusableAudit':
      return { headline: 'The orchestrator said something that breaks the rules', advice: ourFault }
    case 'asked':
      return { headline: 'Stopped', advice: 'Press the button to go on.' }
    case 'unsupportedVersion':
      return refusals.unsupportedVersion
    case 'signingFailed':
      return {
        headline: 'The key of this worker cannot sign',
        advice: `The browser said: ${reason.text}. Reload the page; if it stays like this, the stored key is damaged.`,
      }
  }
}

/** Losing the key loses what was earned with it, so a person decides about that, never the page. */
const clearing =
  'To start anew, clear the data of this site; the standing that the old key earned is then lost.'

const identityFaults: Record<IdentityStoreFault, Words> = {
  unavailable: {
    headline: 'This browser does not let the page keep its key',
    advice: 'Leave private browsing, or allow this site to store data, and try again.',
  },
  unreadable: {
    headline: 'The key of this worker cannot be read',
    advice: `It was left as it is. Restart the browser and try again. ${clearing}`,
  },
  unwritable: {
    headline: 'The key of this worker cannot be stored',
    advice: 'Free some disk space, or allow this site to store data, and try again.',
  },
}

export function failureWords(failure: Failure): Words {
  switch (failure.kind) {
    case 'insecurePage':
      return {
        headline: 'This page needs a secure address',
        advice:
          'Browsers give keys and GPUs only to pages over https, or from this very computer (http://localhost).',
      }
    case 'badOrchestrator':
      return {
        headline: 'The address of the orchestrator is not one',
        advice: `'${failure.actual}' should look like ws://host:port. Correct ?orchestrator= in the address of this page.`,
      }
    case 'otherTab':
      return {
        headline: 'This worker already runs in another tab',
        advice:
          'One tab uses the whole device, so a second one earns nothing more. Close the other tab to go on here.',
      }
    case 'identityStore': {
      const { headline, advice } = identityFaults[failure.fault]
      return { headline, advice: `${advice} (${failure.message})` }
    }
    case 'compute':
      return {
        headline: 'This device cannot compute right now',
        advice: `The part of the page that computes ended several times: ${failure.message}. Restarting the browser usually helps.`,
      }
    case 'unexpected':
      return {
        headline: 'The page could not start',
        advice: `${failure.message}. Reload the page and try again.`,
      }
  }
}
