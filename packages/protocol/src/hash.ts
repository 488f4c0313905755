/**
 * The hash that rules are given. It is passed in because the fastest implementation differs by host:
 * native on servers, WASM in tabs, a pure twin for reference (all in `@shardy/crypto`).
 */
export type Sha256 = (bytes: Uint8Array) => Uint8Array
