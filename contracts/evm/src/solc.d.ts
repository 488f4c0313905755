// The one function of solc that is used here; the package brings no types.

declare module 'solc' {
  const solc: { compile(standardJsonInput: string): string }
  export default solc
}
