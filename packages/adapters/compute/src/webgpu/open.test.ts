import { describe, expect, test } from 'bun:test'
import { describeAdapter, isSoftware, openWebGpu } from './open.ts'

/** The facts that a host could state about an adapter; only the parts that are read. */
function adapterInfo(facts: Partial<GPUAdapterInfo>): GPUAdapterInfo {
  const blank = { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false }
  return { ...blank, ...facts } as GPUAdapterInfo
}

function gpuWith(adapter: Partial<GPUAdapter> | null): GPU {
  return { requestAdapter: async () => adapter } as GPU
}

describe('openWebGpu refuses', () => {
  test('a host without WebGPU', async () => {
    const opened = await openWebGpu(undefined, { allowSoftware: true })
    expect(opened).toMatchObject({ ok: false, refusal: { kind: 'noWebGpu' } })
  })

  test('a host without an adapter', async () => {
    const opened = await openWebGpu(gpuWith(null), { allowSoftware: true })
    expect(opened).toMatchObject({ ok: false, refusal: { kind: 'noAdapter' } })
  })

  test('a software adapter, unless it was allowed', async () => {
    const info = adapterInfo({ vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: true })
    const opened = await openWebGpu(gpuWith({ info }), { allowSoftware: false })
    expect(opened).toMatchObject({
      ok: false,
      refusal: { kind: 'softwareAdapter', adapter: 'google swiftshader' },
    })
  })

  test('an adapter that gives no device, in its own words', async () => {
    const adapter: Partial<GPUAdapter> = {
      info: adapterInfo({ vendor: 'acme' }),
      features: new Set() as unknown as GPUSupportedFeatures,
      limits: { maxBufferSize: 1, maxStorageBufferBindingSize: 1 } as GPUSupportedLimits,
      requestDevice: async () => {
        throw new Error('the adapter was consumed')
      },
    }
    const opened = await openWebGpu(gpuWith(adapter), { allowSoftware: false })
    expect(opened.ok ? undefined : opened.refusal).toEqual({
      kind: 'noDevice',
      adapter: 'acme',
      message: 'acme gives no device: Error: the adapter was consumed',
    })
  })
})

describe('adapters', () => {
  const known = [
    {
      facts: { vendor: 'nvidia', architecture: 'hopper', description: 'NVIDIA H200' },
      line: 'nvidia hopper NVIDIA H200',
      software: false,
    },
    { facts: { vendor: 'apple', architecture: 'metal-3' }, line: 'apple metal-3', software: false },
    {
      facts: { vendor: 'mesa', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
      line: 'mesa llvmpipe (LLVM 15.0.6, 256 bits)',
      software: true,
    },
    {
      facts: { description: 'Microsoft Basic Render Driver' },
      line: 'Microsoft Basic Render Driver',
      software: true,
    },
    { facts: { vendor: 'x', isFallbackAdapter: true }, line: 'x', software: true },
    { facts: { vendor: 'größe\n\u0007' }, line: 'gr?e?', software: false },
    { facts: {}, line: 'an adapter without a name', software: false },
  ]
  for (const { facts, line, software } of known) {
    test(line, () => {
      expect(describeAdapter(adapterInfo(facts))).toBe(line)
      expect(isSoftware(adapterInfo(facts))).toBe(software)
    })
  }
})
