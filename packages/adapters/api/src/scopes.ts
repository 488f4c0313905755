/**
 * Who may do what: every scope that a route can ask for, and the one table that says which role holds which. A key
 * has roles and may be narrowed to some of their scopes; it never holds more than its roles do.
 * Both lists are numbered in stored records by their order: add at the end, never take out.
 */
export const scopes = [
  'tasks:submit',
  'tasks:read',
  'tasks:cancel',
  'tasks:forget',
  'blobs:read',
  'blobs:write',
  'workers:read',
  /** Pause, drain, requeue, purge, decide what a worker loses. */
  'dispatch:operate',
  'keys:manage',
  'audit:read',
  'metrics:read',
  'ledger:read',
  'policy:read',
  'policy:write',
  /** Follow the events of one's own tasks; with the second, of all tasks and workers. */
  'events:read',
  'events:readAll',
  /** Copy the whole store: backups, and the log that a standby follows. */
  'store:copy',
] as const
export type Scope = (typeof scopes)[number]

export const roles = ['requester', 'operator', 'auditor', 'admin'] as const
export type Role = (typeof roles)[number]

export const roleScopes = {
  requester: [
    'tasks:submit',
    'tasks:read',
    'tasks:cancel',
    'tasks:forget',
    'blobs:read',
    'blobs:write',
    'workers:read',
    'ledger:read',
    'events:read',
  ],
  operator: [
    'workers:read',
    'dispatch:operate',
    'metrics:read',
    'ledger:read',
    'policy:read',
    'policy:write',
    'events:read',
    'events:readAll',
  ],
  auditor: [
    'workers:read',
    'audit:read',
    'metrics:read',
    'ledger:read',
    'policy:read',
    'events:read',
    'events:readAll',
  ],
  /** Not a requester: who manages the network need not be able to spend on it. */
  admin: [
    'workers:read',
    'dispatch:operate',
    'keys:manage',
    'audit:read',
    'metrics:read',
    'ledger:read',
    'policy:read',
    'policy:write',
    'events:read',
    'events:readAll',
    'store:copy',
  ],
} as const satisfies Readonly<Record<Role, readonly Scope[]>>

/** What a key with these roles may do; narrowed when `narrower` names any scope. */
export function scopesOf(held: readonly Role[], narrower: readonly Scope[] = []): ReadonlySet<Scope> {
  const whole = held.flatMap((role): readonly Scope[] => roleScopes[role])
  return new Set(narrower.length === 0 ? whole : whole.filter((scope) => narrower.includes(scope)))
}
