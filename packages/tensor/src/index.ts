export { decodeProgram, encodeProgram, programId, programMessage } from './encoding.ts'
export { matmul } from './matmul.ts'
export {
  complexity,
  inputBytesMax,
  inputLength,
  kMax,
  type MatmulProgram,
  outputBytesMax,
  outputLength,
  type Program,
  parseProgram,
  refuseInput,
  rowsMax,
} from './program.ts'
export { evaluate } from './reference.ts'
