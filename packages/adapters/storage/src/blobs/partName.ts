/** What an unfinished upload is called: by its digest and its uploader, so that two uploaders never meet. */
import type { Digest, RequesterId } from '@shardy/protocol'
import { checkDigest, checkUploader } from './digest.ts'

export interface PartOwner {
  readonly digest: Digest
  /** Undefined: the program's own. */
  readonly uploader: RequesterId | undefined
}

export function partName(digest: Digest, uploader: RequesterId | undefined): string {
  checkDigest(digest)
  checkUploader(uploader)
  return uploader === undefined ? `${digest}.part` : `${digest}.${uploader}.part`
}

/** Undefined when it is the name of something else. */
export function readPartName(name: string): PartOwner | undefined {
  const [, digest, uploader] = /^([0-9a-f]{64})(?:\.([0-9a-f]{64}))?\.part$/.exec(name) ?? []
  if (digest === undefined) return undefined
  return { digest: digest as Digest, uploader: uploader as RequesterId | undefined }
}
