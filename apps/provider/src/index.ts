export { type Exit, exitCodes } from './exitCode.ts'
export { createProvider, type Provider, type ProviderAdapters, type ProviderConfig } from './provider.ts'
