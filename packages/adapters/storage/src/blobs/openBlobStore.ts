/** Opens a blob store by its kind. */
import type { BlobStore } from './blobStore.ts'
import { openFileBlobStore } from './fileBlobStore.ts'
import { openMemoryBlobStore } from './memoryBlobStore.ts'

export type BlobStoreOptions = { readonly blobBytesMax: number } & (
  | { readonly kind: 'memory'; readonly path?: string }
  /** With 'memory' a path is allowed and ignored, so that a setting can switch the kind alone. */
  | { readonly kind: 'file' | 'memory'; readonly path: string }
)

export async function openBlobStore(options: BlobStoreOptions): Promise<BlobStore> {
  if (options.kind === 'memory' || options.path === undefined)
    return openMemoryBlobStore(options.blobBytesMax)
  return openFileBlobStore(options.path, options.blobBytesMax)
}
