/**
 * Branded ids and units. A brand is made only by the constructors here and by decoders, so two ids of
 * different meaning can never be swapped without a type error. Ids travel as bytes and live as lower-case hex.
 */
declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** 16 bytes as 32 hex characters. */
export type TaskId = Brand<string, 'TaskId'>
export type DeliveryId = Brand<string, 'DeliveryId'>
export type SessionId = Brand<string, 'SessionId'>

/** 32 bytes as 64 hex characters. */
export type Digest = Brand<string, 'Digest'>
export type ProgramId = Brand<string, 'ProgramId'>
/** SHA-256 of the 65-byte uncompressed P-256 public key. */
export type WorkerId = Brand<string, 'WorkerId'>
export type OrchestratorId = Brand<string, 'OrchestratorId'>
export type RequesterId = Brand<string, 'RequesterId'>

/** Uncompressed SEC1 point, 65 bytes beginning with 0x04. */
export type PublicKey = Brand<Uint8Array, 'PublicKey'>
/** ECDSA P-256 signature, r‖s, 64 bytes, s in the lower half. */
export type Signature = Brand<Uint8Array, 'Signature'>

/** Milliseconds since 1970 on the orchestrator's clock. */
export type TimeMs = Brand<number, 'TimeMs'>
export type DurationMs = Brand<number, 'DurationMs'>
/** Millionths of a test credit. Money is always a bigint. */
export type MicroCredit = Brand<bigint, 'MicroCredit'>
