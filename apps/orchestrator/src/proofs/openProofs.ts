/**
 * Proofs as the manifest in a folder says: one pool of verifiers for each version whose proofs are taken. Read again when an operator
 * has changed it; what cannot be read leaves everything as it was, so keys rotate without a stop.
 */
import path from 'node:path'
import {
  acceptedVersion,
  activeVersion,
  type KeyVersion,
  loadArtifact,
  type Manifest,
  type ManifestFile,
  type Outcome,
  openField,
  parseManifest,
  type Verdict,
} from '@shardy/proofs'
import type { VerifierPool } from '@shardy/proofs/pool'
import {
  type MadeProofKind,
  type Sha256,
  taskProofV2Signals,
  type WorkerId,
  type ZkProofPayload,
  zeroSums,
} from '@shardy/protocol'
import { type ProofFile, proofFile } from '../http/proofFile.ts'
import type { BlockProofs, ProofFlaw, ProofOfAnswer, Proofs } from './proofs.ts'

export interface ProofsParts {
  /** Where `manifest.json` is, and beside it the files that it names. */
  readonly folder: string
  /** Of these, the ones with an active key are offered. */
  readonly kinds: readonly MadeProofKind[]
  readonly sha256: Sha256
  openPool(vkey: unknown): Promise<Outcome<VerifierPool>>
}

export interface ReadProofs extends Proofs {
  /** Reads the manifest again. Rejects with the reason when it cannot be used; then nothing has changed. */
  reload(): Promise<void>
  /** Versions in use whose keys are for development: whoever made them can forge proofs. */
  developmentVersions(): readonly number[]
  /** The manifest in use or one of its files, for whoever makes proofs; undefined when it names none of that name. */
  file(name: string): ProofFile | undefined
}

/** Beside the manifest's own. */
export const manifestName = 'manifest.json'

/** One state of the folder: what is verified with, and what is given out, belong together. */
interface Reading {
  readonly manifest: Manifest
  readonly files: ReadonlyMap<string, ProofFile>
  readonly pools: ReadonlyMap<number, VerifierPool>
}

export async function openProofs(parts: ProofsParts): Promise<ReadProofs> {
  const { folder, sha256 } = parts
  const fetchBytes = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await Bun.file(path.join(folder, name)).arrayBuffer())

  async function open({ verifierVersion }: KeyVersion, bytes: Uint8Array): Promise<VerifierPool> {
    const pool = await parts.openPool(JSON.parse(new TextDecoder().decode(bytes)))
    if (!pool.ok) throw new Error(`the key of version ${verifierVersion} is refused: ${pool.refusal.detail}`)
    return pool.value
  }

  /** Pools of keys that are as they were go on. */
  async function read(before: Reading | undefined): Promise<Reading> {
    const bytes = await fetchBytes(manifestName)
    const parsed = parseManifest(JSON.parse(new TextDecoder().decode(bytes)))
    if (!parsed.ok) throw new Error(parsed.refusal.detail)
    const manifest = parsed.value
    const files = new Map([[manifestName, proofFile(bytes)]])
    const pools = new Map<number, VerifierPool>()
    const opened: VerifierPool[] = []
    try {
      for (const version of manifest.versions) {
        if (version.status === 'retired' || !parts.kinds.includes(version.kind)) continue
        // Whoever makes proofs is given these files: better to hear of a wrong one now than from every worker.
        const { vkey, zkey, wasm } = version.files
        const load = async (file: ManifestFile): Promise<Uint8Array<ArrayBuffer>> => {
          const bytes = (await loadArtifact(file, fetchBytes, sha256)) as Uint8Array<ArrayBuffer>
          files.set(file.path, proofFile(bytes, file.sha256))
          return bytes
        }
        const [key] = await Promise.all([vkey, zkey, wasm].map(load))
        const kept = before && poolOf(before, version)
        const pool = kept ?? (await open(version, key as Uint8Array))
        if (kept === undefined) opened.push(pool)
        pools.set(version.verifierVersion, pool)
      }
    } catch (error) {
      for (const pool of opened) pool.close()
      throw error
    }
    return { manifest, files, pools }
  }

  let current = await read(undefined)

  const blocks = parts.kinds.includes('v3') ? await openBlocks() : undefined

  async function openBlocks(): Promise<BlockProofs> {
    const opened = await openField()
    if (!opened.ok) throw new Error(`blocks cannot be committed to: ${opened.refusal.message}`)
    // Its parameters take some fifty milliseconds, which no worker's frame should wait for.
    opened.field.commitSums(zeroSums())
    return { commitments: opened.field, verify: flawOf }
  }

  function answerFlaw(workerId: WorkerId, { proof, answer }: ProofOfAnswer): Promise<ProofFlaw | undefined> {
    if (proof.kind !== 'v2') throw new Error(`a proof of kind ${proof.kind} does not come with an answer`)
    return flawOf(workerId, proof, taskProofV2Signals(answer, sha256))
  }

  async function flawOf(
    workerId: WorkerId,
    proof: ZkProofPayload,
    signals: readonly bigint[],
  ): Promise<ProofFlaw | undefined> {
    const { kind, verifierVersion } = proof
    const unaccepted = (): ProofFlaw | undefined => {
      const version = acceptedVersion(current.manifest, kind, verifierVersion)
      return version.ok ? undefined : flawIn(version)
    }
    const flaw = unaccepted()
    if (flaw !== undefined) return flaw
    const pool = current.pools.get(verifierVersion)
    if (pool === undefined) return unjudged(`no verifier is open for version ${verifierVersion}`)
    try {
      const found = flawIn(await pool.verify(workerId, { proof: proof.proof, signals }))
      // Retired while it was verified: nothing counts under it any more.
      return unaccepted() ?? found
    } catch (error) {
      return unaccepted() ?? unjudged(error instanceof Error ? error.message : String(error))
    }
  }

  let lastReload: Promise<void> = Promise.resolve()

  async function reload(): Promise<void> {
    const before = current
    current = await read(before)
    const inUse = new Set(current.pools.values())
    for (const pool of before.pools.values()) if (!inUse.has(pool)) pool.close()
  }

  return {
    get kinds() {
      return parts.kinds.filter((kind) => activeVersion(current.manifest, kind) !== undefined)
    },
    wanted(kind) {
      const version = parts.kinds.includes(kind) ? activeVersion(current.manifest, kind) : undefined
      return version && { kind, verifierVersion: version.verifierVersion }
    },
    verify: (workerId, proofs) => Promise.all(proofs.map((each) => answerFlaw(workerId, each))),
    ...(blocks && { blocks }),
    reload() {
      // One after the other: each keeps and closes pools of the one before, and the manifest that was read last is the one in use.
      const reloaded = lastReload.then(reload)
      lastReload = reloaded.catch(() => {})
      return reloaded
    },
    developmentVersions: () =>
      current.manifest.versions
        .filter(({ trust, verifierVersion }) => trust === 'development' && current.pools.has(verifierVersion))
        .map(({ verifierVersion }) => verifierVersion),
    file: (name) => current.files.get(name),
    close() {
      for (const pool of current.pools.values()) pool.close()
    },
  }
}

/** The pool of an earlier reading for the very same key. */
function poolOf(
  { manifest, pools }: Reading,
  { verifierVersion, files }: KeyVersion,
): VerifierPool | undefined {
  const before = manifest.versions.find((each) => each.verifierVersion === verifierVersion)
  return before?.files.vkey.sha256 === files.vkey.sha256 ? pools.get(verifierVersion) : undefined
}

function flawIn(verdict: Verdict): ProofFlaw | undefined {
  if (verdict.ok) return undefined
  const { code, detail } = verdict.refusal
  // Whose proofs wait says nothing about this one.
  if (code === 'queueFull') return unjudged(detail)
  return { kind: 'refused', detail: `the proof is refused as ${code}: ${detail}` }
}

function unjudged(why: string): ProofFlaw {
  return { kind: 'unjudged', detail: `the proof could not be verified: ${why}` }
}
