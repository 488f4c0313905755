/** What plans need to know of a device, and what to ask an adapter for: without asking, a device has the small defaults. */
export interface PlanLimits {
  readonly maxBufferSize: number
  readonly maxStorageBufferBindingSize: number
  readonly maxStorageBuffersPerShaderStage: number
}

const asked = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  // Kernels of products hold tiles in workgroup memory and choose their workgroups by these.
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

export type RequiredLimits = Readonly<Record<(typeof asked)[number], number>>

/** All that the adapter has of them. */
export function requiredLimits(limits: RequiredLimits): Record<keyof RequiredLimits, number> {
  return Object.fromEntries(asked.map((name) => [name, limits[name]])) as Record<keyof RequiredLimits, number>
}

const features = [
  // Products of int8 tiles in hardware, where the adapter has them.
  'chromium-experimental-subgroup-matrix',
  'subgroups',
  // How long a kernel takes, for benchmarks and for choosing among kernels.
  'timestamp-query',
] as const

export function requiredFeatures(offered: ReadonlySet<string>): GPUFeatureName[] {
  return features.filter((feature) => offered.has(feature)) as GPUFeatureName[]
}
