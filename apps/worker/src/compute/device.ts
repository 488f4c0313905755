/**
 * Picks what runs the programs: the GPU if it opens and computes exactly, else the CPU with the reason why. Software
 * adapters are taken too, and marked: they let the whole path run on a machine without a GPU.
 */
import { createCpuExecutor, type Executor, type Opened, openWebGpu } from '@shardy/compute'
import type { CpuReason, Device } from './message.ts'
import { isExact } from './selfCheck.ts'

export interface OpenDevice {
  readonly device: Device
  readonly executor: Executor
}

/** More threads of one tab would wait for memory, and leave the person's machine nothing. */
const cpuThreadsMax = 8

function openCpu(cpuReason: CpuReason): OpenDevice {
  // One core is left to the page.
  const threads = Math.min(navigator.hardwareConcurrency - 1, cpuThreadsMax)
  const executor = createCpuExecutor({ threads })
  return { device: { executor: 'cpu', adapter: executor.adapter, isSoftware: false, cpuReason }, executor }
}

/** A real GPU first; only when there is none, software. */
async function openGpu(gpu: GPU | undefined): Promise<{ opened: Opened; isSoftware: boolean }> {
  const opened = await openWebGpu(gpu, { allowSoftware: false })
  if (opened.ok || opened.refusal.kind !== 'softwareAdapter') return { opened, isSoftware: false }
  return { opened: await openWebGpu(gpu, { allowSoftware: true }), isSoftware: true }
}

/** `without` says why the GPU is not even tried. */
export async function openDevice(gpu: GPU | undefined, without: CpuReason | undefined): Promise<OpenDevice> {
  if (without !== undefined) return openCpu(without)
  const { opened, isSoftware } = await openGpu(gpu)
  if (!opened.ok) return openCpu({ kind: 'refused', message: opened.refusal.message })
  const { executor } = opened
  const { adapter } = executor
  if (!(await isExact(executor))) {
    await executor.close()
    return openCpu({ kind: 'inexact', adapter })
  }
  return { device: { executor: 'webgpu', adapter, isSoftware, cpuReason: undefined }, executor }
}
