/** What runs in the browser's page: the same products on the device that the page gets. */
import { cube, openDevice, teraOperations, timeExact, timeFloat } from './gemmDevice.ts'

export interface PageFigures {
  readonly adapter: string
  readonly figures: Readonly<Record<string, number>>
}

async function measure(): Promise<PageFigures | string> {
  const { gpu } = navigator
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null || adapter === undefined) return 'the page gets no WebGPU adapter'
  const under = await openDevice(adapter, gpu.wgslLanguageFeatures)
  const figures: Record<string, number> = {}
  for (const size of under.isSoftware ? [512, 1024] : [512, 1024, 2048, 4096, 8192])
    figures[`chromiumInt8Gops${size}`] = 1_000 * teraOperations(size, await timeExact(under, cube(size)))
  for (const size of under.isSoftware ? [512] : [512, 1024, 2048, 4096])
    figures[`chromiumF32Gflops${size}`] = 1_000 * teraOperations(size, await timeFloat(under, size))
  const { vendor, architecture, description } = adapter.info
  return { adapter: `${vendor} ${architecture} ${description}`, figures }
}

Reflect.set(globalThis, 'measureProducts', measure)
