/** A backup as a file: it gets its name once it is whole and on disk. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory, writeAll } from '../blobs/filePart.ts'
import type { Store } from '../store.ts'
import { type BackupOptions, type BackupSummary, backupStore } from './backupStore.ts'

export async function backupToFile(
  store: Store,
  file: string,
  options: BackupOptions = {},
): Promise<BackupSummary> {
  const part = `${file}.part`
  const handle = await open(part, 'w', 0o600)
  try {
    let at = 0
    const summary = await backupStore(
      store,
      async (bytes) => {
        await writeAll(handle, at, bytes)
        at += bytes.byteLength
      },
      options,
    )
    await handle.sync()
    await handle.close()
    await rename(part, file)
    await syncDirectory(dirname(file))
    return summary
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(part, { force: true })
    throw error
  }
}
