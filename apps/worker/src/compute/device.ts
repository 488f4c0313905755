/**
 * Picks what runs the programs: the GPU if it opens and computes exactly, else the CPU with the reason why. Software
 * adapters are taken too, and marked: they let the whole path run on a machine without a GPU.
 */
import {
  createCpuExecutor,
  createSelfCheckingExecutor,
  type Executor,
  type Opened,
  openCheckTools,
  openWebGpu,
  type SelfCheckAdapters,
} from '@shardy/compute'
import { loadSha256 } from '@shardy/crypto'
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

/** What a GPU's answers are looked at with before they are signed. */
async function openLooks(): Promise<SelfCheckAdapters> {
  const tools = await openCheckTools(await loadSha256())
  return { tools, random: (length) => crypto.getRandomValues(new Uint8Array(length)) }
}

/** `without` says why the GPU is not even tried. */
export async function openDevice(gpu: GPU | undefined, without: CpuReason | undefined): Promise<OpenDevice> {
  if (without !== undefined) return openCpu(without)
  const { opened, isSoftware } = await openGpu(gpu)
  if (!opened.ok) return openCpu({ kind: 'refused', message: opened.refusal.message })
  const { adapter } = opened.executor
  if (!(await isExact(opened.executor))) {
    await opened.executor.close()
    return openCpu({ kind: 'inexact', adapter })
  }
  const executor = createSelfCheckingExecutor(opened.executor, await openLooks())
  return { device: { executor: 'webgpu', adapter, isSoftware, cpuReason: undefined }, executor }
}
