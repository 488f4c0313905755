/** What runs the work, and when it is not a real GPU, why. */
import type { CpuReason, Device } from '../compute/message.ts'

export interface DeviceWords {
  readonly title: string
  readonly note: string | undefined
}

function describeCpuReason(reason: CpuReason): string {
  switch (reason.kind) {
    case 'asked':
      return 'The address of this page asks for the CPU (?cpu).'
    case 'refused':
      return `No GPU: ${reason.message}.`
    case 'inexact':
      return `${reason.adapter} gave a wrong answer in a self-test, so the CPU does the work.`
    case 'failed':
      return `The GPU was given up: ${reason.message}.`
  }
}

export function describeDevice({ executor, adapter, isSoftware, cpuReason }: Device): DeviceWords {
  const title = executor === 'webgpu' ? `GPU: ${adapter}` : `CPU: ${adapter}`
  if (cpuReason !== undefined) return { title, note: describeCpuReason(cpuReason) }
  if (!isSoftware) return { title, note: undefined }
  return {
    title,
    note: 'This is a software GPU, imitated by the CPU: exact, but slow. It is accepted for development.',
  }
}
