/** Every operator beside onnxruntime: on real numbers nearly equal, as an exact program within the error of bytes, in integers equal. */
import { describe, expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { decodeProgram, encodeProgram } from '@shardy/tensor'
import { evaluateModel, importModel, operatorNames } from '../src/index.ts'
import { imported, run } from './exact.ts'
import { type Golden, goldens } from './goldens.ts'

const inputsOf = ({ inputs }: Golden['samples'][number]) => [...inputs.values()].map(({ data }) => data)

function calibrationOf({ samples }: Golden): { readonly data: Float32Array } {
  return {
    data: Float32Array.from(
      samples.flatMap((sample) => inputsOf(sample).flatMap((data) => Array.from(data))),
    ),
  }
}

test('every operator is there', () => {
  const met = new Set(goldens.flatMap(({ model }) => model.nodes.map(({ op }) => op)))
  // Cast is in `cast.test.ts`: what it does here, it does to types alone.
  expect(operatorNames.filter((name) => !met.has(name))).toEqual(['Cast'])
})

describe('on real numbers', () => {
  for (const { name, model, samples } of goldens) {
    test(name, () => {
      for (const { inputs, output } of samples) {
        const result = evaluateModel(model, inputs)
        const y = result.ok ? result.value.get('y') : undefined
        expect(y?.shape).toEqual(output.shape)
        output.data.forEach((entry, index) => {
          expect(Math.abs((y?.data[index] ?? Number.NaN) - entry)).toBeLessThan(1e-5)
        })
      }
    })
  }
})

/** Parts of the largest output: the worst error, and the root of the mean square of all of them. */
const [worstMax, spreadMax] = [0.04, 0.012]

describe('as an exact program, calibrated', () => {
  for (const golden of goldens.filter(({ isInteger }) => !isInteger)) {
    test(golden.name, () => {
      const program = imported(golden.model, { calibration: calibrationOf(golden) })
      expect(decodeProgram(encodeProgram(program.program))).toEqual({ ok: true, value: program.program })
      const largest = Math.max(...golden.samples.flatMap(({ output }) => Array.from(output.data, Math.abs)))
      const errors: number[] = []
      for (const sample of golden.samples) {
        const [y] = run(program, ...inputsOf(sample))
        expect(y?.shape).toEqual([...sample.output.shape])
        sample.output.data.forEach((entry, index) => {
          errors.push(Math.abs((y?.reals[index] ?? Number.NaN) - entry) / largest)
        })
      }
      expect(Math.max(...errors)).toBeLessThan(worstMax)
      expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(
        spreadMax,
      )
    })

    test(`${golden.name} needs to know ranges`, () => {
      const result = importModel(golden.model, { sha256 })
      expect(result.ok ? 'imported' : result.refusal.kind).toBe('uncalibrated')
    })
  }
})

describe('in integers', () => {
  let [differing, compared] = [0, 0]
  for (const { name, isInteger, model, samples } of goldens) {
    if (!isInteger) continue
    test(name, () => {
      const program = imported(model)
      for (const sample of samples) {
        const [y] = run(program, ...inputsOf(sample))
        expect(y?.shape).toEqual([...sample.output.shape])
        sample.output.data.forEach((entry, index) => {
          const code = y?.integers[index] ?? Number.NaN
          compared++
          if (code === entry) return
          // A sum so near to the middle between two codes that floats of 32 bits cannot tell: `integers.test.ts` has the figure.
          expect(Math.abs(code - entry)).toBe(1)
          differing++
        })
      }
    })
  }

  test('hardly any differ', () => {
    expect(compared).toBeGreaterThan(5000)
    expect(differing).toBeLessThanOrEqual(compared / 1000)
  })
})
