import { diskConformance, storeConformance } from './conformance.ts'

storeConformance('memory')
storeConformance('sqlite')
storeConformance('rocksdb')
storeConformance('rocksdb', [])
storeConformance('rocksdb', ['left', 'right'])

diskConformance('sqlite')
diskConformance('rocksdb')
