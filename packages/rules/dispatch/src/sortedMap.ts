/**
 * A persistent ordered map with string keys: `set` and `delete` give a new map and leave the old one as it was, so a
 * rule can be pure without copying its tables. A wide B+tree: an update copies one short array a level. A change that
 * changes nothing gives the same map, so two maps that are the same object hold the same. No value is `undefined`.
 */
interface Leaf<V> {
  readonly keys: readonly string[]
  readonly values: readonly V[]
}

interface Branch<V> {
  /** The smallest key below each child when it was made; children may have lost that key since. */
  readonly keys: readonly string[]
  readonly children: readonly Node<V>[]
}

type Node<V> = Leaf<V> | Branch<V>

const width = 32

const isLeaf = <V>(node: Node<V>): node is Leaf<V> => 'values' in node

/** How many keys are at most `key`. */
function countAtMost(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] ?? '') <= key) low = middle + 1
    else high = middle
  }
  return low
}

const replaced = <T>(list: readonly T[], index: number, ...items: T[]): T[] => {
  const copy = list.slice()
  copy.splice(index, 1, ...items)
  return copy
}

const inserted = <T>(list: readonly T[], index: number, item: T): T[] => {
  const copy = list.slice()
  copy.splice(index, 0, item)
  return copy
}

/** One node, or two when it outgrew its width. */
function insert<V>(node: Node<V>, key: string, value: V): readonly Node<V>[] {
  const after = countAtMost(node.keys, key)
  if (isLeaf(node)) {
    if (node.keys[after - 1] === key) {
      return [{ keys: node.keys, values: replaced(node.values, after - 1, value) }]
    }
    const keys = inserted(node.keys, after, key)
    const values = inserted(node.values, after, value)
    if (keys.length <= width) return [{ keys, values }]
    const half = keys.length >> 1
    return [
      { keys: keys.slice(0, half), values: values.slice(0, half) },
      { keys: keys.slice(half), values: values.slice(half) },
    ]
  }
  const index = Math.max(0, after - 1)
  const child = node.children[index]
  if (child === undefined) throw new Error('a branch has children')
  const made = insert(child, key, value)
  const keys = replaced(node.keys, index, ...made.map(firstKey))
  const children = replaced(node.children, index, ...made)
  if (children.length <= width) return [{ keys, children }]
  const half = children.length >> 1
  return [
    { keys: keys.slice(0, half), children: children.slice(0, half) },
    { keys: keys.slice(half), children: children.slice(half) },
  ]
}

const firstKey = <V>(node: Node<V>): string => node.keys[0] ?? ''

/** The node without the key, or undefined when nothing is left of it. The key must be there. */
function remove<V>(node: Node<V>, key: string): Node<V> | undefined {
  const index = Math.max(0, countAtMost(node.keys, key) - 1)
  if (isLeaf(node)) {
    if (node.keys.length === 1) return undefined
    return { keys: node.keys.toSpliced(index, 1), values: node.values.toSpliced(index, 1) }
  }
  const child = node.children[index]
  if (child === undefined) throw new Error('a branch has children')
  const rest = remove(child, key)
  if (rest !== undefined) return { keys: node.keys, children: replaced(node.children, index, rest) }
  if (node.children.length === 1) return undefined
  return { keys: node.keys.toSpliced(index, 1), children: node.children.toSpliced(index, 1) }
}

function* walk<V>(node: Node<V>, from: string): Generator<readonly [string, V]> {
  const start = countAtMost(node.keys, from) - 1
  if (isLeaf(node)) {
    const first = start >= 0 && node.keys[start] === from ? start : start + 1
    for (let index = first; index < node.keys.length; index++) {
      yield [node.keys[index] as string, node.values[index] as V]
    }
    return
  }
  for (let index = Math.max(0, start); index < node.children.length; index++) {
    yield* walk(node.children[index] as Node<V>, from)
  }
}

export class SortedMap<K extends string, V> {
  readonly size: number
  private readonly root: Node<V>

  private constructor(root: Node<V>, size: number) {
    this.root = root
    this.size = size
  }

  static empty<K extends string, V>(): SortedMap<K, V> {
    return new SortedMap<K, V>({ keys: [], values: [] }, 0)
  }

  get(key: K): V | undefined {
    let node = this.root
    while (!isLeaf(node)) {
      const child: Node<V> | undefined = node.children[Math.max(0, countAtMost(node.keys, key) - 1)]
      if (child === undefined) return undefined
      node = child
    }
    const index = countAtMost(node.keys, key) - 1
    return node.keys[index] === key ? node.values[index] : undefined
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  set(key: K, value: V): SortedMap<K, V> {
    const before = this.get(key)
    if (before === value && before !== undefined) return this
    const size = before === undefined ? this.size + 1 : this.size
    const made = insert(this.root, key, value)
    const [only, second] = made
    if (only === undefined) throw new Error('an insert makes a node')
    return new SortedMap(second === undefined ? only : { keys: made.map(firstKey), children: made }, size)
  }

  delete(key: K): SortedMap<K, V> {
    if (!this.has(key)) return this
    let root = remove(this.root, key) ?? { keys: [], values: [] }
    while (!isLeaf(root) && root.children.length === 1) root = root.children[0] as Node<V>
    return new SortedMap(root, this.size - 1)
  }

  /** In key order, from the first key that is at least `from`. */
  entries(from = ''): IterableIterator<readonly [K, V]> {
    return walk(this.root, from) as IterableIterator<readonly [K, V]>
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  first(): readonly [K, V] | undefined {
    let node = this.root
    while (!isLeaf(node)) node = node.children[0] as Node<V>
    return node.keys.length === 0 ? undefined : [node.keys[0] as K, node.values[0] as V]
  }
}
