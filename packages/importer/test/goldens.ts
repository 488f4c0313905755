/** What onnxruntime computed of small models: `goldens.py` made it, and no line of it comes from this repository. */
import { readFileSync } from 'node:fs'
import { type OnnxModel, type OnnxTensor, readModel } from '../src/index.ts'
import { type OnnxDtype, readRaw, sizeOf } from '../src/onnx/tensor.ts'

interface Packed {
  readonly dtype: OnnxDtype
  readonly shape: readonly number[]
  readonly data: string
}

interface PackedCase {
  readonly name: string
  readonly isInteger: boolean
  readonly model: string
  readonly samples: readonly { readonly inputs: Readonly<Record<string, Packed>>; readonly output: Packed }[]
}

export interface Golden {
  readonly name: string
  readonly isInteger: boolean
  readonly bytes: Uint8Array
  readonly model: OnnxModel
  readonly samples: readonly {
    readonly inputs: ReadonlyMap<string, OnnxTensor>
    readonly output: OnnxTensor
  }[]
}

function unpack({ dtype, shape, data }: Packed): OnnxTensor {
  return { dtype, shape, data: readRaw(dtype, sizeOf(shape), Buffer.from(data, 'base64'), 'golden') }
}

function goldenOf({ name, isInteger, model, samples }: PackedCase): Golden {
  const bytes = new Uint8Array(Buffer.from(model, 'base64'))
  const read = readModel(bytes)
  if (!read.ok) throw new Error(`${name}: ${read.refusal.reason}`)
  return {
    name,
    isInteger,
    bytes,
    model: read.value,
    samples: samples.map(({ inputs, output }) => ({
      inputs: new Map(Object.entries(inputs).map(([key, tensor]) => [key, unpack(tensor)])),
      output: unpack(output),
    })),
  }
}

const [, ...lines] = readFileSync(new URL('goldens.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
export const goldens: readonly Golden[] = lines.map((line) => goldenOf(JSON.parse(line)))
