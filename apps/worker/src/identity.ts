/**
 * The worker's key: made once, kept in IndexedDB, and not extractable, so that no script can carry it away. A store
 * that cannot be read is explained and never replaced, because the standing that was earned belongs to the key in it.
 */
import { generateIdentity, identityOf, type KeyedIdentity } from '@shardy/crypto'

export type IdentityStoreFault = 'unavailable' | 'unreadable' | 'unwritable'

export class IdentityStoreError extends Error {
  override readonly name = 'IdentityStoreError'
  readonly fault: IdentityStoreFault
  constructor(fault: IdentityStoreFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

const databaseName = 'shardy'
const storeName = 'identity'
const keyName = 'worker'

function settle<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
}

async function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  try {
    const request = factory.open(databaseName, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(storeName)
    return await settle(request)
  } catch (cause) {
    throw new IdentityStoreError('unavailable', reasonOf(cause), { cause })
  }
}

function isUsableKey(value: unknown, type: KeyType, usage: KeyUsage): value is CryptoKey {
  return value instanceof CryptoKey && value.type === type && value.usages.includes(usage)
}

function parseKeys(value: unknown): CryptoKeyPair | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const privateKey: unknown = Reflect.get(value, 'privateKey')
  const publicKey: unknown = Reflect.get(value, 'publicKey')
  if (!isUsableKey(privateKey, 'private', 'sign') || !isUsableKey(publicKey, 'public', 'verify'))
    return undefined
  return { privateKey, publicKey }
}

async function load(database: IDBDatabase): Promise<KeyedIdentity | undefined> {
  let value: unknown
  try {
    value = await settle(database.transaction(storeName).objectStore(storeName).get(keyName))
  } catch (cause) {
    throw new IdentityStoreError('unreadable', reasonOf(cause), { cause })
  }
  if (value === undefined) return undefined
  const keys = parseKeys(value)
  if (keys === undefined) throw new IdentityStoreError('unreadable', 'what is stored is not a key pair')
  return identityOf(keys)
}

/** Does nothing when another tab was faster: `add`, unlike `put`, never replaces. */
async function create(database: IDBDatabase): Promise<void> {
  const { keys } = await generateIdentity({ extractable: false })
  try {
    const transaction = database.transaction(storeName, 'readwrite', { durability: 'strict' })
    await settle(transaction.objectStore(storeName).add(keys, keyName))
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'ConstraintError') return
    throw new IdentityStoreError('unwritable', reasonOf(cause), { cause })
  }
}

/** The key in this browser's store, made when there is none. */
export async function openIdentity(factory: IDBFactory | undefined): Promise<KeyedIdentity> {
  if (factory === undefined) throw new IdentityStoreError('unavailable', 'this browser has no IndexedDB')
  const database = await openDatabase(factory)
  try {
    const known = await load(database)
    if (known !== undefined) return known
    await create(database)
    const made = await load(database)
    if (made === undefined) throw new IdentityStoreError('unwritable', 'the key vanished after it was stored')
    return made
  } finally {
    database.close()
  }
}
