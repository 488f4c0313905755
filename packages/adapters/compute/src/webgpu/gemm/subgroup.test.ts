/**
 * The matrix kernel's text, on machines without matrix units: Dawn's null device knows the extension and checks every
 * rule of WGSL, and the structure that its speed rests on is looked at here. Its results are checked in gemm.test.ts
 * where an adapter has the units.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import type { EpilogueShape } from './epilogue.ts'
import { subgroupFeature } from './requirements.ts'
import { type SubgroupTile, subgroupKernel } from './subgroup.ts'

const { create, globals } = await import('webgpu')
Object.assign(globalThis, globals)
const gpu = create(['enable-dawn-features=allow_unsafe_apis', 'backend=null'])
// A collected instance ends the process.
Reflect.set(globalThis, Symbol.for('shardy.nullDawn'), gpu)
const adapter = await gpu.requestAdapter()
const device = adapter?.features.has(subgroupFeature)
  ? await adapter.requestDevice({ requiredFeatures: [subgroupFeature] })
  : undefined
afterAll(() => device?.destroy())

const squares = { down: 2, across: 2 } as const
const tiles: readonly SubgroupTile[] = [
  { ...squares, fragments: 4, stepBytes: 64, stages: 1 },
  { ...squares, fragments: 4, stepBytes: 32, stages: 2 },
  { ...squares, fragments: 2, stepBytes: 64, stages: 1 },
  { ...squares, fragments: 2, stepBytes: 32, stages: 2 },
]
const bare: EpilogueShape = { unsignedLeft: false, epilogue: {}, wholeWords: true }
const shapes: readonly EpilogueShape[] = [
  bare,
  {
    unsignedLeft: true,
    wholeWords: false,
    epilogue: {
      bias: true,
      requantize: { per: 'tensor', multiplier: 3, shift: 40, zeroPoint: 0, to: 'u8' },
      lookup: { to: 'i8' },
    },
  },
  {
    unsignedLeft: false,
    wholeWords: true,
    epilogue: { requantize: { per: 'channel', zeroPoint: 0, to: 'i8' }, lookup: { to: 'i32' } },
  },
]
const packed = { left: 'packed', right: 'packed' } as const

for (const tile of tiles) {
  describe(JSON.stringify(tile), () => {
    const { code, workgroupBytes, tileRows, tileColumns } = subgroupKernel(tile, packed, bare)

    test.skipIf(device === undefined)(
      'is valid with operands of either layout and each kind of epilogue',
      async () => {
        for (const left of ['rows', 'packed'] as const) {
          for (const right of ['rows', 'packed'] as const) {
            for (const shape of shapes) {
              device?.pushErrorScope('validation')
              const text = subgroupKernel(tile, { left, right }, shape).code
              const module = device?.createShaderModule({ code: text })
              const messages = (await module?.getCompilationInfo())?.messages ?? []
              expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([])
              expect(await device?.popErrorScope()).toBeNull()
            }
          }
        }
      },
    )

    test('loads every fragment at a constant offset, which lies inside its panel', () => {
      const panel = Number(/panels: array<array<vec4i, (\d+)>/.exec(code)?.[1])
      const loads = [...code.matchAll(/subgroupMatrixLoad<[^>]*>, \w+>\(&panels\[[^,]*\], (\d+)u, (\d+)u\)/g)]
      const parts = (tile.stepBytes / 32) * tile.stages
      expect(loads).toHaveLength(2 * tile.fragments * parts)
      expect(code.match(/subgroupMatrixLoad/g)).toHaveLength(loads.length)
      for (const [, offset, pitch] of loads) {
        expect(Number(pitch) % 2).toBe(1)
        expect(Number(offset) + 15 * Number(pitch) + 2).toBeLessThanOrEqual(panel)
      }
    })

    test('brings a step from its buffer to memory within one turn of the loop', () => {
      const body = code.slice(code.indexOf('for (var step'))
      const [load, store] = [body.indexOf('left0 = left['), body.indexOf('= left0;')]
      expect(load).toBeGreaterThan(0)
      expect(store).toBeGreaterThan(load)
      expect(body.slice(load, store)).not.toMatch(/\bfor\b|\bif\b|\bloop\b/)
    })

    test('leaves room for a second workgroup in the 48 KiB that a multiprocessor had for them', () => {
      expect(workgroupBytes).toBeLessThanOrEqual(24 * 1024)
      expect([tileRows, tileColumns]).toEqual([32 * tile.fragments, 32 * tile.fragments])
    })
  })
}
