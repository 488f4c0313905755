import { proofSystemConformance } from '@shardy/proofs/conformance'
import { fflonk } from '../src/index.ts'
import { openUniversalFixture } from './universal.ts'

// Keys take longer to make than a hook may.
const fixture = await openUniversalFixture('fflonk', fflonk)
proofSystemConformance(async () => fixture)
