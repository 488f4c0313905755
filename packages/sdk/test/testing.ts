export {
  type Handlers,
  sampleView as sampleTask,
  serveRoutes,
  type TestServer,
  testApiKey,
} from '@shardy/api/testing'
export { makeSampleReceipt, type SampleDelivery, type SampleReceipt } from './sampleReceipt.ts'
