import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { credits, digestOf, manifestOf } from '../../test/identity.ts'
import { itemsMax } from '../limits.ts'
import { campaignEventTypes } from '../record.ts'
import { readManifest, type VerifyForm, writeManifest } from './json.ts'
import { type Manifest, manifest } from './manifest.ts'

/** As good as any: the rules only carry it. */
const form: VerifyForm = {
  read: (value) =>
    value === 'checked' ? { ok: true, bytes: Uint8Array.of(7) } : { ok: false, bound: '"checked"' },
  write: () => 'checked',
}

const least = {
  name: 'a sweep',
  work: { kind: 'program', program: { base64: 'AQID' } },
  inputs: { range: { to: 10 } },
  rewardMicroCredit: '10',
  budgetMicroCredit: '1000',
  verify: 'checked',
  deadlineMs: 1_800_000_000_000,
}

describe('a manifest in JSON', () => {
  test('has defaults for all that may be left out', () => {
    expect(readManifest(least, form)).toEqual({
      ok: true,
      value: manifestOf({
        budgetMicroCredit: credits(1_000),
        deadlineMs: 1_800_000_000_000 as never,
        taskTimeoutMs: 600_000,
        window: 1_000,
        stopAfterFailures: 100,
      }),
    })
  })

  test('reads back as what was written', () => {
    const span = fc
      .record({ from: fc.nat(2 ** 40), length: fc.integer({ min: 1, max: itemsMax }) })
      .map(({ from, length }) => ({ from, to: from + length }))
    const none = { range: undefined, seeds: undefined, blobs: undefined, list: undefined }
    const digest = fc.nat().map((number) => digestOf(`${number}`))
    const inputs = fc.oneof(
      fc
        .record({
          span,
          template: fc.uint8Array({ maxLength: 40 }),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        })
        .map(({ span: { from, to }, template, share }) => ({
          ...none,
          range: { from, to, template, offset: Math.floor(share * template.length) },
        })),
      fc
        .record({ span, input: fc.option(digest, { nil: undefined }) })
        .map(({ span: given, input }) => ({ ...none, seeds: { ...given, input } })),
      fc.array(digest, { minLength: 1, maxLength: 9 }).map((digests) => ({ ...none, blobs: { digests } })),
      fc.record({ digest, count: fc.integer({ min: 1, max: itemsMax }) }).map((list) => ({ ...none, list })),
    )
    const changes: fc.Arbitrary<Partial<Manifest>> = fc.record({
      name: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 }),
      inputs,
      priority: fc.integer({ min: 0, max: 9 }),
      window: fc.integer({ min: 1, max: 10_000 }),
      retriesMax: fc.integer({ min: 0, max: 15 }),
      stopAfterFailures: fc.option(fc.integer({ min: 1, max: itemsMax }), { nil: undefined }),
      webhook: fc.option(
        fc.subarray([...campaignEventTypes], { minLength: 1 }).map((events) => ({
          url: 'https://a.example.org/hook?x=1',
          events,
          secretName: 's',
        })),
        { nil: undefined },
      ),
    })
    fc.assert(
      fc.property(changes, (given) => {
        const value = manifestOf(given)
        const json: unknown = JSON.parse(JSON.stringify(writeManifest(value, form)))
        expect(readManifest(json, form)).toEqual({ ok: true, value })
        expect(manifest.decode(manifest.encode(value))).toEqual({ ok: true, value })
      }),
    )
  })

  const work = least.work
  const hex = digestOf('i')
  const table: readonly (readonly [string, unknown, string, string, string])[] = [
    ['nothing', undefined, 'manifest', 'nothing', 'an object with name, work'],
    ['text', 'a', 'manifest', '"a"', 'an object with name'],
    ['null', null, 'manifest', 'null', 'an object with name'],
    ['a list', [], 'manifest', 'a list of 0', 'an object with name'],
    ['no field', {}, 'name', 'nothing', 'printable ASCII, 1 to 64'],
    ['an unknown field', { ...least, retries: 3 }, 'retries', '3', 'one of name, work'],
    ['a field of every object', JSON.parse('{"__proto__": 1}'), '__proto__', '1', 'one of name'],
    ['a field that objects inherit', { ...least, constructor: 1 }, 'constructor', '1', 'one of name'],
    ['an empty name', { ...least, name: '' }, 'name', '""', '1 to 64'],
    ['a name of lines', { ...least, name: 'a\nb' }, 'name', '"a\\nb"', 'printable ASCII'],
    ['an endless name', { ...least, name: 'x'.repeat(1e6) }, 'name', `"${'x'.repeat(80)}…"`, '1 to 64'],
    [
      'a kind of ours alone',
      { ...least, work: { ...work, kind: 'job' } },
      'work.kind',
      '"job"',
      'one of program',
    ],
    [
      'a program as text',
      { ...least, work: { ...work, program: 'AQID' } },
      'work.program',
      '"AQID"',
      'base64',
    ],
    [
      'another base64',
      { ...least, work: { ...work, program: { base64: 'AQI' } } },
      'work.program.base64',
      '"AQI"',
      'canonical base64 of at most 65536',
    ],
    [
      'an empty program',
      { ...least, work: { ...work, program: { base64: '' } } },
      'work.program',
      '0 bytes',
      '1 to',
    ],
    ['a seed as a number', { ...least, work: { ...work, seed: 7 } }, 'work.seed', '7', 'decimal text'],
    [
      'a seed of 65 bits',
      { ...least, work: { ...work, seed: '18446744073709551616' } },
      'work.seed',
      '"18446744073709551616"',
      '18446744073709551615',
    ],
    [
      'an output of another word',
      { ...least, work: { ...work, output: 'x' } },
      'work.output',
      '"x"',
      'keep, digest',
    ],
    ['no inputs', { ...least, inputs: {} }, 'inputs', 'none', 'exactly one of range'],
    [
      'two inputs',
      { ...least, inputs: { range: { to: 1 }, list: { digest: hex, count: 1 } } },
      'inputs',
      'range and list',
      'exactly one',
    ],
    [
      'a range to half',
      { ...least, inputs: { range: { to: 1.5 } } },
      'inputs.range.to',
      '1.5',
      'a whole number',
    ],
    [
      'a range below zero',
      { ...least, inputs: { range: { from: -1, to: 1 } } },
      'inputs.range.from',
      '-1',
      'from 0',
    ],
    [
      'a range too long',
      { ...least, inputs: { range: { to: itemsMax + 1 } } },
      'inputs.range.to',
      '2097153',
      '2097152',
    ],
    [
      'a digest in capitals',
      { ...least, inputs: { seeds: { to: 1, input: hex.toUpperCase() } } },
      'inputs.seeds.input',
      `"${hex.toUpperCase()}"`,
      '32 bytes as lower-case hex',
    ],
    [
      'a digest too short',
      { ...least, inputs: { blobs: { digests: [hex, 'ab'] } } },
      'inputs.blobs.digests.1',
      '"ab"',
      '32 bytes',
    ],
    [
      'too many digests',
      { ...least, inputs: { blobs: { digests: Array(1_025).fill(hex) } } },
      'inputs.blobs.digests',
      'a list of 1025',
      'at most 1024',
    ],
    [
      'a list of none',
      { ...least, inputs: { list: { digest: hex, count: 0 } } },
      'inputs.list.count',
      '0',
      'from 1',
    ],
    [
      'a reward below zero',
      { ...least, rewardMicroCredit: '-1' },
      'rewardMicroCredit',
      '"-1"',
      'decimal text',
    ],
    [
      'a reward with a zero first',
      { ...least, rewardMicroCredit: '01' },
      'rewardMicroCredit',
      '"01"',
      'decimal',
    ],
    [
      'a reward beyond measure',
      { ...least, rewardMicroCredit: '1000000000000001' },
      'rewardMicroCredit',
      '"1000000000000001"',
      '1000000000000000',
    ],
    [
      'a budget below one reward',
      { ...least, budgetMicroCredit: '9' },
      'budgetMicroCredit',
      '9',
      'at least the reward',
    ],
    [
      'a budget of 2^63',
      { ...least, budgetMicroCredit: String(2n ** 63n) },
      'budgetMicroCredit',
      '"9223',
      '9223',
    ],
    ['no way to verify', { ...least, verify: undefined }, 'verify', 'nothing', '"checked"'],
    ['another way to verify', { ...least, verify: 'hope' }, 'verify', '"hope"', '"checked"'],
    ['another proof', { ...least, proof: 'v9' }, 'proof', '"v9"', 'none, v2, v3'],
    ['a priority of ten', { ...least, priority: 10 }, 'priority', '10', 'from 0 to 9'],
    ['no deadline', { ...least, deadlineMs: undefined }, 'deadlineMs', 'nothing', 'a whole number'],
    ['an endless deadline', { ...least, deadlineMs: Infinity }, 'deadlineMs', 'Infinity', 'a whole number'],
    ['a task of no time', { ...least, taskTimeoutMs: 999 }, 'taskTimeoutMs', '999', 'from 1000 to 86400000'],
    ['no window', { ...least, window: 0 }, 'window', '0', 'from 1 to 10000'],
    ['a window too large', { ...least, window: 10_001 }, 'window', '10001', 'from 1 to 10000'],
    ['retries for ever', { ...least, retriesMax: 16 }, 'retriesMax', '16', 'from 0 to 15'],
    [
      'a stop before the first failure',
      { ...least, stopAfterFailures: 0 },
      'stopAfterFailures',
      '0',
      'from 1',
    ],
    [
      'a webhook as text',
      { ...least, webhook: 'https://a.b' },
      'webhook',
      '"https://a.b"',
      'an object with url',
    ],
    [
      'a webhook of an unknown event',
      { ...least, webhook: { url: 'https://a.b/', events: ['item_failed'], secretName: 's' } },
      'webhook.events.0',
      '"item_failed"',
      'one of campaign_started',
    ],
    [
      'a webhook to a file',
      { ...least, webhook: { url: 'file:///etc/passwd', events: ['campaign_ended'], secretName: 's' } },
      'webhook.url',
      'file:///etc/passwd',
      'https',
    ],
  ]
  for (const [name, json, field, value, bound] of table) {
    test(`is refused with field, value and bound: ${name}`, () => {
      const read = readManifest(json, form)
      if (read.ok) throw new Error('it was read')
      expect(read.refusal.field).toBe(field)
      expect(read.refusal.value).toStartWith(value)
      expect(read.refusal.bound).toContain(bound)
    })
  }

  test('of any hostile value anywhere is refused, or read and written again; nothing throws', () => {
    const names = Object.keys(writeManifest(manifestOf(), form))
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 }), (name, value) => {
        const read = readManifest({ ...least, [name]: value }, form)
        if (read.ok) expect(readManifest(writeManifest(read.value, form), form)).toEqual(read)
        else expect(read.refusal.field.split('.')[0]).toBe(name)
      }),
      { numRuns: 2_000 },
    )
  })

  test('has the failures that end it switched off with null', () => {
    const read = readManifest({ ...least, stopAfterFailures: null }, form)
    expect(read.ok && read.value.stopAfterFailures).toBeUndefined()
  })
})
