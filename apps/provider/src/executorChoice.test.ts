import { describe, expect, test } from 'bun:test'
import { createCpuExecutor, type Executor, type Opened } from '@shardy/compute'
import { chooseExecutor, type ExecutorSources } from './executorChoice.ts'

/** A machine with such an adapter. Only names matter here: what executors compute has its own suite. */
function machine(adapter: 'real' | 'software' | 'none'): ExecutorSources {
  const gpu: Executor = { ...createCpuExecutor(), name: 'webgpu', adapter }
  const refusal = { kind: 'noAdapter', message: 'nothing here' } as const
  return {
    createCpu: createCpuExecutor,
    async openWebGpu({ allowSoftware }): Promise<Opened> {
      const suits = adapter === 'real' || (adapter === 'software' && allowSoftware)
      return suits ? { ok: true, executor: gpu } : { ok: false, refusal }
    },
  }
}

const software = 'This WebGPU adapter is software: exact, but much slower than SHARDY_EXECUTOR=cpu.'
const noGpu = 'No GPU is used: nothing here.'

describe('chooseExecutor', () => {
  const cases = [
    { choice: 'auto', adapter: 'real', name: 'webgpu', note: undefined },
    { choice: 'auto', adapter: 'software', name: 'cpu', note: noGpu },
    { choice: 'auto', adapter: 'none', name: 'cpu', note: noGpu },
    { choice: 'webgpu', adapter: 'real', name: 'webgpu', note: undefined },
    { choice: 'webgpu', adapter: 'software', name: 'webgpu', note: software },
    { choice: 'cpu', adapter: 'real', name: 'cpu', note: undefined },
  ] as const
  test.each(cases)(
    '$choice where the adapter is $adapter: $name',
    async ({ choice, adapter, name, note }) => {
      const chosen = await chooseExecutor(choice, machine(adapter))
      if (!chosen.ok) throw new Error(chosen.message)
      expect(chosen.executor.name).toBe(name)
      expect(chosen.note).toBe(note)
    },
  )

  test('webgpu without any adapter is refused and says what to do', async () => {
    expect(await chooseExecutor('webgpu', machine('none'))).toEqual({
      ok: false,
      message: 'SHARDY_EXECUTOR=webgpu finds no adapter: nothing here. Use auto or cpu instead.',
    })
  })
})
