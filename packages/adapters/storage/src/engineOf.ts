/** The engine below a store, for what copies a store as a whole: backup and log shipping. */
import type { Engine } from './engine.ts'
import type { Store } from './store.ts'

const engines = new WeakMap<object, Engine>()

export function rememberEngine(store: Store, engine: Engine): void {
  engines.set(store, engine)
}

export function engineOf(store: Store): Engine {
  const engine = engines.get(store)
  if (engine === undefined)
    throw new TypeError('This store was not opened by openStore: hand over the one inside')
  return engine
}
