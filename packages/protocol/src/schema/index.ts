export * from './codec.ts'
export { decodeHex, encodeHex } from './hex.ts'
export * from './message.ts'
export { type Decoded, describeRefusal, type Refusal } from './refusal.ts'
