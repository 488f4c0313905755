/** What to ask an adapter for, so that a device can run the fast kernels; and what a device then has. */
import { dot4LanguageFeature } from './dot4.ts'
import type { KernelName } from './product.ts'

/** Not in the types yet: Chromium's experiment, behind `--enable-unsafe-webgpu` or Dawn's `allow_unsafe_apis`. */
export const subgroupFeature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName

interface MatrixConfig {
  readonly componentType: string
  readonly resultComponentType: string
  readonly M: number
  readonly N: number
  readonly K: number
}

type Info = Partial<GPUAdapterInfo> & { readonly subgroupMatrixConfigs?: Iterable<MatrixConfig> }

const raised = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

export function gemmRequirements(adapter: Pick<GPUAdapter, 'features' | 'limits'>): {
  readonly requiredFeatures: readonly GPUFeatureName[]
  readonly requiredLimits: Record<(typeof raised)[number], number>
} {
  const wanted: readonly GPUFeatureName[] = [subgroupFeature, 'subgroups']
  const requiredFeatures = adapter.features.has(subgroupFeature)
    ? wanted.filter((feature) => adapter.features.has(feature))
    : []
  const limits = raised.map((name) => [name, adapter.limits[name]] as const)
  return {
    requiredFeatures,
    requiredLimits: Object.fromEntries(limits) as Record<(typeof raised)[number], number>,
  }
}

/** Whether the matrix units take i8 to i32 in the one shape that the kernel is written for, in subgroups of 32. */
function hasMatrixUnits(device: Pick<GPUDevice, 'features'>, info: Info): boolean {
  if (!device.features.has(subgroupFeature)) return false
  if (info.subgroupMinSize !== 32 || info.subgroupMaxSize !== 32) return false
  return Array.from(info.subgroupMatrixConfigs ?? []).some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'i8' && resultComponentType === 'i32' && M === 16 && N === 16 && K === 32,
  )
}

export function kernelsOf(
  device: Pick<GPUDevice, 'features'>,
  info: Info,
  languageFeatures: ReadonlySet<string>,
): readonly KernelName[] {
  return [
    'plain',
    ...(languageFeatures.has(dot4LanguageFeature) ? (['dot4'] as const) : []),
    ...(hasMatrixUnits(device, info) ? (['subgroup'] as const) : []),
  ]
}
