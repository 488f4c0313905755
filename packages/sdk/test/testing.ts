export { type Handlers, serveRoutes, type TestServer, testApiKey } from '@shardy/api/testing'
export { makeSampleReceipt, type SampleDelivery, type SampleReceipt } from './sampleReceipt.ts'
export { sampleTask } from './sampleTask.ts'
