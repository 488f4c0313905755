import { describe, expect, test } from 'bun:test'
import { digestOf, manifestOf, rangeOf } from '../../test/identity.ts'
import { itemsMax } from '../limits.ts'
import { countOf } from './inputs.ts'
import { digestsIn, itemWork } from './itemInput.ts'
import { type Manifest, manifest } from './manifest.ts'

const none = { range: undefined, seeds: undefined, blobs: undefined, list: undefined }
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('a manifest', () => {
  test('has one encoding', () => {
    const bytes = manifest.encode(manifestOf())
    expect(manifest.decode(bytes)).toEqual({ ok: true, value: manifestOf() })
    expect(manifest.decode(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false })
    expect(manifest.decode(bytes.subarray(1))).toMatchObject({ ok: false })
  })

  test('keeps its bytes', () => {
    // What is kept by one version is read by the next.
    expect(hexOf(manifest.encode(manifestOf()))).toMatchInlineSnapshot(
      `"0a076120737765657012090801120301020320011a040a02100a200a28c0843d320107380140054880d88aecb13450e0d40358046002"`,
    )
  })

  const range = rangeOf(1).range as NonNullable<Manifest['inputs']['range']>
  const table: readonly (readonly [string, Partial<Manifest>, string])[] = [
    ['no name', { name: '' }, 'name: 1 to 64 characters'],
    [
      'no program',
      { work: { ...manifestOf().work, program: new Uint8Array(0) } },
      'work.program: 1 to 65536',
    ],
    ['no inputs', { inputs: none }, 'inputs: exactly one of range, seeds, blobs, list'],
    [
      'two kinds of inputs',
      { inputs: { ...rangeOf(3), list: { digest: digestOf('l'), count: 3 } } },
      'inputs: exactly one of',
    ],
    [
      'an empty range',
      { inputs: { ...none, range: { ...range, from: 5, to: 5 } } },
      'inputs.range.to: from + 1',
    ],
    [
      'a range backwards',
      { inputs: { ...none, range: { ...range, from: 9, to: 5 } } },
      'inputs.range.to: from + 1',
    ],
    ['too many items', { inputs: rangeOf(itemsMax + 1) }, `inputs.range.to: from + 1 to from + ${itemsMax}`],
    [
      'too many seeds',
      { inputs: { ...none, seeds: { from: 1, to: itemsMax + 2, input: digestOf('i') } } },
      'inputs.seeds.to: from + 1',
    ],
    [
      'a number beyond its template',
      { inputs: { ...none, range: { ...range, offset: 1 } } },
      "inputs.range.offset: at most 0, the template's length",
    ],
    [
      'an empty list of blobs',
      { inputs: { ...none, blobs: { digests: [] } } },
      'inputs.blobs.digests: 1 to 1024',
    ],
    [
      'two seeds',
      {
        work: { ...manifestOf().work, seed: 1n },
        inputs: { ...none, seeds: { from: 0, to: 2, input: digestOf('i') } },
      },
      'work.seed: 0, because',
    ],
    [
      'a budget below one reward',
      { budgetMicroCredit: 9n as never },
      'budgetMicroCredit: at least the reward of one',
    ],
    [
      'a reward beyond measure',
      { rewardMicroCredit: (10n ** 15n + 1n) as never },
      'rewardMicroCredit: 0 to 1000000',
    ],
    [
      'a webhook to no URL',
      { webhook: { url: 'nowhere', events: ['campaign_ended'], secretName: 's' } },
      'webhook.url: https://name',
    ],
    [
      'a webhook for nothing',
      { webhook: { url: 'https://a.example.org/', events: [], secretName: 's' } },
      'webhook.events: at least one of',
    ],
    [
      'an event twice',
      {
        webhook: {
          url: 'https://a.example.org/',
          events: ['campaign_ended', 'campaign_ended'],
          secretName: 's',
        },
      },
      'webhook.events: at least one of',
    ],
    [
      'a webhook without a secret',
      { webhook: { url: 'https://a.example.org/', events: ['campaign_ended'], secretName: '' } },
      'webhook.secretName: 1 to 64',
    ],
  ]
  for (const [name, changes, message] of table) {
    test(`is none with ${name}`, () => {
      expect(() => manifest.encode(manifestOf(changes))).toThrow(message)
    })
  }
})

describe('an item', () => {
  test('of a range has its number in the template', () => {
    const inputs = (template: number[], offset: number) =>
      manifestOf({
        inputs: { ...none, range: { from: 256, to: 300, template: Uint8Array.from(template), offset } },
      })
    const bytesOf = (value: Manifest, index: number) => {
      const { input, seed } = itemWork(value, index)
      expect(seed).toBe(0n)
      return input.kind === 'bytes' ? hexOf(input.bytes) : input.kind
    }
    expect(bytesOf(inputs([], 0), 1)).toBe('0101000000000000')
    expect(bytesOf(inputs([0xaa, 0xbb], 2), 0)).toBe('aabb0001000000000000')
    expect(bytesOf(inputs(Array(10).fill(0xcc), 1), 2)).toBe('cc0201000000000000cc')
    expect(bytesOf(inputs([0xaa, 0xbb], 1), 0)).toBe('aa0001000000000000')
  })

  test('leaves the template as it was', () => {
    const value = manifestOf()
    itemWork(value, 3)
    expect(value.inputs.range?.template).toHaveLength(0)
  })

  test('of seeds differs in its seed alone', () => {
    const value = manifestOf({ inputs: { ...none, seeds: { from: 7, to: 9, input: digestOf('i') } } })
    expect(countOf(value.inputs)).toBe(2)
    expect(itemWork(value, 1)).toEqual({ input: { kind: 'blob', digest: digestOf('i') }, seed: 8n })
    const bare = manifestOf({ inputs: { ...none, seeds: { from: 7, to: 9, input: undefined } } })
    expect(itemWork(bare, 0)).toEqual({ input: { kind: 'bytes', bytes: new Uint8Array(0) }, seed: 7n })
  })

  test('of blobs is one of them', () => {
    const digests = [digestOf('a'), digestOf('b')]
    const value = manifestOf({ inputs: { ...none, blobs: { digests } } })
    expect(countOf(value.inputs)).toBe(2)
    expect(itemWork(value, 1).input).toEqual({ kind: 'blob', digest: digestOf('b') })
    expect(() => itemWork(value, 2)).toThrow("item 2 is none of the campaign's")
  })

  test('of a list has its digest at a place in a blob', () => {
    const value = manifestOf({ inputs: { ...none, list: { digest: digestOf('l'), count: 1_000_000 } } })
    expect(countOf(value.inputs)).toBe(1_000_000)
    const { input } = itemWork(value, 999_999)
    expect(input).toEqual({ kind: 'listed', list: digestOf('l'), offset: 31_999_968 })
    const piece = Buffer.from(digestOf('x') + digestOf('y'), 'hex')
    expect(digestsIn(piece)).toEqual([digestOf('x'), digestOf('y')])
    expect(() => digestsIn(piece.subarray(1))).toThrow('63 bytes are no whole digests')
  })
})
