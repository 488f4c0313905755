/** Copies of all that an orchestrator stores: fetched while it works, checked, and made into a data folder again. */
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { payloadBytesMax } from '@shardy/protocol'
import { openBlobStore, restoreStore, verifyBackup } from '@shardy/storage'
import type { Command } from '../command.ts'
import { Failure } from '../failure.ts'
import { assertWritable } from '../files.ts'
import { count } from '../wording.ts'

const chunksOf = (file: string): AsyncIterable<Uint8Array> =>
  Bun.file(file).stream() as unknown as AsyncIterable<Uint8Array>

type Checked = Awaited<ReturnType<typeof verifyBackup>>

async function check(file: string): Promise<Checked> {
  if (!(await Bun.file(file).exists())) {
    throw new Failure('file', `${file} cannot be read: there is no such file`)
  }
  return verifyBackup(chunksOf(file))
}

const sizesOf = ({ rows, blobs, bytes }: Pick<Checked, 'rows' | 'blobs' | 'bytes'>): string =>
  `${count(rows, 'row')}, ${count(blobs, 'blob')}, ${bytes} bytes`

const jsonOf = (file: string, { rows, blobs, bytes, header }: Checked) => ({
  file,
  rows,
  blobs,
  bytes,
  schemaVersion: header.schemaVersion,
})

export const backup: Command = {
  name: 'backup',
  summary: 'copy all that the orchestrator stores into a file, while it works',
  operands: ['FILE'],
  options: {},
  example: 'backup shardy.backup',
  more:
    'Takes an admin’s key. The file gets its name once it is on disk, has been read back and is whole. It holds every task, ' +
    'the book and the hashes of keys: keep it as safe as the data folder. The orchestrator’s identity is not in it; copy ' +
    'orchestrator-identity.json from the data folder by another way.',
  async run({ operator, operands, onInterrupt }) {
    const [file] = operands as [string]
    await assertWritable(file)
    const partial = `${file}.part`
    onInterrupt(`${partial} holds what had come, and is of no use; run it again.`)
    try {
      const handle = await open(partial, 'w', 0o600)
      try {
        for await (const chunk of await operator.backup()) await handle.write(chunk)
        await handle.sync()
      } finally {
        await handle.close()
      }
      const checked = await check(partial)
      await rename(partial, file)
      return { json: jsonOf(file, checked), text: `${file} is whole: ${sizesOf(checked)}.` }
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    }
  },
}

export const backupCheck: Command = {
  name: 'backup check',
  summary: 'read a backup to its end: whether it could be restored',
  operands: ['FILE'],
  options: {},
  example: 'backup check shardy.backup',
  more: 'Digests find damage; they do not say who wrote a file.',
  async run({ operands }) {
    const [file] = operands as [string]
    const checked = await check(file)
    return {
      json: jsonOf(file, checked),
      text: `${file} is whole: ${sizesOf(checked)}, of schema ${checked.header.schemaVersion}.`,
    }
  },
}

const kinds = ['rocksdb', 'sqlite'] as const

export const restore: Command = {
  name: 'restore',
  summary: 'make a data folder from a backup',
  operands: ['FILE'],
  options: {
    into: { value: 'DIR', what: 'the data folder; no store may be in it' },
    store: { value: 'KIND', what: 'rocksdb or sqlite; rocksdb unless given' },
  },
  example: 'restore shardy.backup --into .shardy-restored',
  more:
    'No orchestrator runs meanwhile. The store is read back and compared before it gets its name. Work that was paid after the ' +
    'backup is unpaid in it. Put orchestrator-identity.json beside it, then start the orchestrator with SHARDY_DATA=DIR.',
  async run({ operands, options }) {
    const [file] = operands as [string]
    const into = options.text('into')
    if (into === undefined) throw new Failure('usage', '--into DIR is missing: the data folder to make')
    const given = options.text('store') ?? 'rocksdb'
    const kind = kinds.find((each) => each === given)
    if (kind === undefined) throw new Failure('usage', `--store is '${given}'; it must be rocksdb or sqlite`)
    await check(file)
    const blobs = await openBlobStore({
      kind: 'file',
      path: path.join(into, 'blobs'),
      blobBytesMax: payloadBytesMax,
    })
    try {
      const summary = await restoreStore(chunksOf(file), { kind, path: path.join(into, 'store'), blobs })
      return {
        json: { file, into, store: kind, ...summary },
        text: `${into} has it all: ${sizesOf(summary)}.`,
      }
    } finally {
      await blobs.close()
    }
  },
}
