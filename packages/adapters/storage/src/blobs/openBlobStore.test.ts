import { blobConformance } from './conformance.ts'

blobConformance('memory')
blobConformance('file')
