// What we use of snarkjs, which has no types of its own. Its files may be bytes in memory.
declare module 'snarkjs' {
  export type MemoryFile = { readonly type: 'mem'; data?: Uint8Array }
  type File = Uint8Array | MemoryFile
  export const zKey: {
    newZKey(r1cs: File, powers: File, key: MemoryFile): Promise<Uint8Array | -1>
    contribute(before: File, after: MemoryFile, name: string, entropy: string): Promise<Uint8Array>
    verifyFromR1cs(r1cs: File, powers: File, key: File): Promise<boolean>
    exportVerificationKey(key: File): Promise<VerificationKey>
  }
  export const groth16: {
    prove(key: File, witness: File): Promise<{ proof: unknown; publicSignals: string[] }>
    verify(key: VerificationKey, publicSignals: readonly string[], proof: unknown): Promise<boolean>
  }
  export const wtns: {
    calculate(input: Readonly<Record<string, unknown>>, wasm: File, witness: MemoryFile): Promise<void>
  }
  export type VerificationKey = { readonly [field: string]: unknown; readonly nPublic: number }
}
