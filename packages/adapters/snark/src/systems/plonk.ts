/** PLONK (eprint 2019/953) as snarkjs has it: nine commitments and six evaluations. */
import { type Place, proofForm } from './proofForm.ts'
import { type UniversalForm, universalSystem } from './universalSystem.ts'

const point = (name: string): Place => ({ name, kind: 'point' })
const number = (name: string): Place => ({ name, kind: 'number' })

export const plonkForm: UniversalForm = {
  name: 'plonk',
  proof: proofForm('plonk', [
    ...['A', 'B', 'C', 'Z', 'T1', 'T2', 'T3', 'Wxi', 'Wxiw'].map(point),
    ...['eval_a', 'eval_b', 'eval_c', 'eval_s1', 'eval_s2', 'eval_zw'].map(number),
  ]),
  key: {
    system: 'plonk',
    points: ['S1', 'S2', 'S3'],
    selectors: ['Qm', 'Ql', 'Qr', 'Qo', 'Qc'],
    numbers: ['k1', 'k2', 'w'],
  },
}

export const plonk = universalSystem(plonkForm)
