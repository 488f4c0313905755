/**
 * A campaign after a restart (spec K10), from its record and the rows of its open items. What their tasks came to in
 * the meantime is asked with the first input: each is ended, there, or has never been submitted.
 */
import type { Manifest } from './manifest/manifest.ts'
import { hold } from './opening.ts'
import { type CampaignRecord, type OpenItem, settledOf } from './record.ts'
import { type CampaignPolicy, type CampaignState, defaultPolicy, planOf, stateOf } from './state.ts'

export function recover(
  manifest: Manifest,
  record: CampaignRecord,
  openItems: readonly OpenItem[],
  policy: CampaignPolicy = defaultPolicy,
): CampaignState {
  const state = stateOf(planOf(manifest), policy, record)
  const { plan, open } = state
  for (const { index, attempt, costMicroCredit } of openItems) {
    if (index >= record.next || attempt > plan.attemptsMax || open.has(index)) {
      throw new Error(
        `item ${index}, attempt ${attempt}, cannot be open in a campaign that opened ${record.next}`,
      )
    }
    // Long ago: asked about at once.
    const heardAtMs = -policy.checkEveryMs as CampaignState['checkAtMs']
    hold(state, index, { attempt, costMicroCredit, phase: 'submitting', heardAtMs })
  }
  const known = open.size + settledOf(record)
  if (known !== record.next || record.next > plan.total || open.size > plan.window) {
    throw new Error(
      `${open.size} open items and ${settledOf(record)} results are not the ${record.next} of ${plan.total} opened items`,
    )
  }
  return state
}
