import { proofSystemConformance } from '@shardy/proofs/conformance'
import { fflonk } from '../src/index.ts'
import { openUniversalFixture } from './universal.ts'

proofSystemConformance(() => openUniversalFixture('fflonk', fflonk))
