import { describe, expect, test } from 'bun:test'
import type { ProductSpec } from './product.ts'
import { choices, type DeviceFacts, layoutsFor, shapeClass } from './tuner.ts'

const product = (m: number, k: number, n: number, rest: Partial<ProductSpec> = {}): ProductSpec => ({
  batch: 1,
  m,
  k,
  n,
  left: 'i8',
  sharedB: true,
  transposeB: false,
  ...rest,
})
const large: DeviceFacts = {
  kernels: ['plain', 'dot4', 'subgroup'],
  isSoftware: false,
  workgroupBytesMax: 49_152,
  threadsMax: 1024,
}
const usual: DeviceFacts = {
  ...large,
  kernels: ['plain', 'dot4'],
  workgroupBytesMax: 16_384,
  threadsMax: 256,
}

describe('without timing', () => {
  test('the fastest kernel of the device comes first, and the plain one remains', () => {
    const kernels = choices(product(4096, 4096, 4096), large).map(({ kernel }) => kernel)
    expect(kernels[0]).toBe('subgroup')
    expect(kernels.at(-1)).toBe('plain')
  })

  test('small products get small tiles, since large ones would leave most of the device idle', () => {
    const [first] = choices(product(256, 4096, 256), large)
    expect(first?.tile).toMatchObject({ fragments: 2 })
    const [filling] = choices(product(4096, 4096, 4096), large)
    expect(filling?.tile).toMatchObject({ fragments: 4 })
  })

  test('a device of default limits is offered nothing beyond them', () => {
    const offered = choices(product(4096, 4096, 4096), usual)
    expect(offered.length).toBeGreaterThan(3)
    expect(choices(product(64, 64, 64), { ...usual, workgroupBytesMax: 1 })).toEqual([])
  })

  test('the same facts give the same choices', () => {
    expect(choices(product(100, 100, 100), large)).toEqual(choices(product(100, 100, 100), large))
  })

  test('a software device gets one short text for each kernel', () => {
    const offered = choices(product(4096, 4096, 4096), { ...usual, isSoftware: true })
    expect(offered.map(({ kernel }) => kernel)).toEqual(['dot4', 'plain'])
  })
})

describe('layouts', () => {
  const cases = [
    { does: 'k of no whole steps', spec: product(8, 65, 8), left: 'packed', right: 'packed' },
    { does: 'B of k × n', spec: product(8, 64, 8), left: 'rows', right: 'packed' },
    { does: 'B transposed', spec: product(8, 64, 8, { transposeB: true }), left: 'rows', right: 'rows' },
    {
      does: 'unsigned A, which needs the column sums of packing',
      spec: product(8, 64, 8, { transposeB: true, left: 'u8' }),
      left: 'rows',
      right: 'packed',
    },
    {
      does: 'a resident B',
      spec: product(8, 64, 8, { transposeB: true, residentB: true }),
      left: 'rows',
      right: 'packed',
    },
    {
      does: 'operands used thousands of times on matrix units',
      spec: product(4096, 64, 4096, { transposeB: true }),
      left: 'packed',
      right: 'packed',
    },
  ] as const
  for (const { does, spec, left, right } of cases)
    test(does, () => expect(layoutsFor(spec, 'subgroup')).toEqual({ left, right }))
})

test('a class holds sizes within a factor of two and nothing else', () => {
  expect(shapeClass(product(65, 64, 128))).toBe(shapeClass(product(128, 64, 65)))
  expect(shapeClass(product(64, 64, 64))).not.toBe(shapeClass(product(65, 64, 64)))
  expect(shapeClass(product(64, 64, 64))).not.toBe(shapeClass(product(64, 64, 64, { left: 'u8' })))
  expect(shapeClass(product(64, 64, 64))).not.toBe(shapeClass(product(64, 63, 64)))
})
