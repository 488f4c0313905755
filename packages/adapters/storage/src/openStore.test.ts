import { diskConformance, storeConformance } from './conformance.ts'

storeConformance('memory')
storeConformance('sqlite')
storeConformance('rocksdb')

diskConformance('sqlite')
diskConformance('rocksdb')
