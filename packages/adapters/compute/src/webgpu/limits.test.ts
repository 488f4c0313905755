import { expect, test } from 'bun:test'
import { requiredFeatures, requiredLimits } from './limits.ts'

test('of an adapter’s limits, those that plans and kernels use are asked for, as high as they are', () => {
  const limits = {
    maxBufferSize: 1,
    maxStorageBufferBindingSize: 2,
    maxStorageBuffersPerShaderStage: 3,
    maxComputeWorkgroupStorageSize: 4,
    maxComputeInvocationsPerWorkgroup: 5,
    maxComputeWorkgroupSizeX: 6,
  }
  expect(requiredLimits({ ...limits, ...{ maxTextureDimension2D: 7 } })).toEqual(limits)
})

test('features are asked for where the adapter has them, and no others', () => {
  const offered = new Set(['subgroups', 'shader-f16'])
  expect(requiredFeatures(offered)).toEqual(['subgroups'])
  expect(requiredFeatures(new Set())).toEqual([])
})
