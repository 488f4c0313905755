/** Why the page cannot work at all, before or beside any connection. */
import type { IdentityStoreFault } from '../identity.ts'

export type Failure =
  /** Neither keys nor GPUs are given to pages that came over plain http from another machine. */
  | { readonly kind: 'insecurePage' }
  | { readonly kind: 'badOrchestrator'; readonly actual: string }
  | { readonly kind: 'otherTab' }
  | { readonly kind: 'identityStore'; readonly fault: IdentityStoreFault; readonly message: string }
  | { readonly kind: 'compute'; readonly message: string }
  | { readonly kind: 'unexpected'; readonly message: string }
