/**
 * Which executor a provider computes with. `auto` takes a real GPU or else the CPU, which is many times faster than a
 * software adapter; `webgpu` takes any adapter and says when it is software; neither changes its mind silently.
 */
import type { Executor, Opened } from '@shardy/compute'
import type { ExecutorChoice } from './config.ts'

export interface ExecutorSources {
  openWebGpu(options: { readonly allowSoftware: boolean }): Promise<Opened>
  createCpu(): Executor
}

export type Chosen =
  | { readonly ok: true; readonly executor: Executor; readonly note: string | undefined }
  | { readonly ok: false; readonly message: string }

export async function chooseExecutor(choice: ExecutorChoice, sources: ExecutorSources): Promise<Chosen> {
  if (choice === 'cpu') return { ok: true, executor: sources.createCpu(), note: undefined }
  const gpu = await sources.openWebGpu({ allowSoftware: false })
  if (gpu.ok) return { ok: true, executor: gpu.executor, note: undefined }
  const { message } = gpu.refusal
  if (choice === 'auto') {
    return { ok: true, executor: sources.createCpu(), note: `No GPU is used: ${message}.` }
  }
  const software = await sources.openWebGpu({ allowSoftware: true })
  if (software.ok) {
    const note = 'This WebGPU adapter is software: exact, but much slower than SHARDY_EXECUTOR=cpu.'
    return { ok: true, executor: software.executor, note }
  }
  return {
    ok: false,
    message: `SHARDY_EXECUTOR=webgpu finds no adapter: ${software.refusal.message}. Use auto or cpu instead.`,
  }
}
