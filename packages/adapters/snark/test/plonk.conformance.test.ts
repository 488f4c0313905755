import { proofSystemConformance } from '@shardy/proofs/conformance'
import { plonk } from '../src/index.ts'
import { openUniversalFixture } from './universal.ts'

proofSystemConformance(() => openUniversalFixture('plonk', plonk))
