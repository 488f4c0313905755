/** Products of one device, ready to be encoded: each kind is prepared once, and the most recently used ones are kept. */
import type { Gemm, Product, ProductSpec } from '../gemm/index.ts'

const productsMax = 128
/** Multiply-adds from which on it pays to time the kernels that could make a product; a GPU makes them in a moment. */
const tunedFrom = 2 ** 31

export interface Products {
  prepare(specs: Iterable<ProductSpec>): Promise<void>
  get(spec: ProductSpec): Product
  close(): void
}

/** Without tuning, a product has the kernel that its shape suggests. */
export function createProducts(gemm: Gemm, { tunes }: { readonly tunes: boolean }): Products {
  const known = new Map<string, Product>()
  const keyOf = (spec: ProductSpec) => JSON.stringify(spec)

  async function prepare(spec: ProductSpec): Promise<Product> {
    const { batch, m, k, n } = spec
    if (tunes && batch * m * k * n >= tunedFrom) await gemm.tune(spec)
    return await gemm.prepare(spec)
  }

  return {
    async prepare(specs) {
      const needed = new Map(Array.from(specs, (spec) => [keyOf(spec), spec]))
      for (const [key, spec] of needed) {
        const product = known.get(key) ?? (await prepare(spec))
        known.delete(key)
        known.set(key, product)
      }
      for (const [key, product] of known) {
        if (known.size <= productsMax || needed.has(key)) break
        product.close()
        known.delete(key)
      }
    },
    get(spec) {
      const product = known.get(keyOf(spec))
      if (product === undefined) throw new Error('the product was not prepared')
      return product
    },
    close() {
      for (const product of known.values()) product.close()
      known.clear()
    },
  }
}
