/** Encodes the packing of operands (packing.ts) for one device; the small parameter buffers stay with the caller's product. */
import { ComputeError } from '../../executor.ts'
import { gridOf } from './grid.ts'
import { depthTiles, packedTileBytes, rowTiles, tileRows } from './layout.ts'
import { PackParameters, type PackShape, packEntryPoint, packText, sumText } from './packing.ts'
import type { Pipelines } from './pipelines.ts'

export interface PackSpec extends PackShape {
  readonly batch: number
  /** Of the tiles: rows of a left matrix, columns of a right one. */
  readonly rows: number
  readonly k: number
  readonly withSums: boolean
}

interface Packer {
  readonly packedBytes: number
  encode(pass: GPUComputePassEncoder, source: GPUBuffer, packed: GPUBuffer): void
  close(): void
}

/** Four bytes of sums for each row of a tile, behind the tiles. */
function sumBytes({ batch, rows }: PackSpec): number {
  return 4 * batch * rowTiles(rows) * tileRows
}

export async function createPacker(device: GPUDevice, pipelines: Pipelines, spec: PackSpec): Promise<Packer> {
  const { batch, rows, k, entryBytes, withSums } = spec
  const tilesBytes = batch * packedTileBytes(rows, k, entryBytes)
  const sourceBytes = 4 * Math.ceil((batch * rows * k * entryBytes) / 4)
  const limit = device.limits.maxStorageBufferBindingSize
  if (Math.max(tilesBytes, sourceBytes) > limit) {
    const message = `packing ${batch} × ${rows} × ${k} needs bindings beyond the device's ${limit} bytes`
    throw new ComputeError('beyondLimits', message)
  }
  const pack = await pipelines.get(packText(spec), packEntryPoint)
  const sum = withSums ? await pipelines.get(sumText, packEntryPoint) : undefined
  const tileCount = { down: rowTiles(rows), along: depthTiles(k, entryBytes) }
  const { width, height } = gridOf(tileCount.down, tileCount.along)
  const values = { rows, k, depthTiles: tileCount.along, rowTiles: tileCount.down, width }
  const names = Object.keys(PackParameters.propTypes) as (keyof typeof values)[]
  const parameters = device.createBuffer({
    label: 'packing',
    size: 4 * names.length,
    usage: GPUBufferUsage.UNIFORM,
    mappedAtCreation: true,
  })
  new Uint32Array(parameters.getMappedRange()).set(names.map((name) => values[name]))
  parameters.unmap()

  const bind = (pipeline: GPUComputePipeline, first: GPUBufferBinding, second: GPUBufferBinding) =>
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ buffer: parameters }, first, second].map((resource, binding) => ({ binding, resource })),
    })

  return {
    packedBytes: tilesBytes + (withSums ? sumBytes(spec) : 0),
    encode(pass, source, packed) {
      const tiles = { buffer: packed, offset: 0, size: tilesBytes }
      pass.setPipeline(pack)
      pass.setBindGroup(0, bind(pack, { buffer: source, offset: 0, size: sourceBytes }, tiles))
      pass.dispatchWorkgroups(width, height, batch)
      if (sum === undefined) return
      pass.setPipeline(sum)
      pass.setBindGroup(0, bind(sum, tiles, { buffer: packed, offset: tilesBytes, size: sumBytes(spec) }))
      pass.dispatchWorkgroups(tileCount.down, 1, batch)
    },
    close() {
      parameters.destroy()
    },
  }
}
