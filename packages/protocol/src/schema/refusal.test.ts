import { expect, test } from 'bun:test'
import { describeRefusal, type Refusal } from './refusal.ts'

const sentences: { [Kind in Refusal['kind']]: [Extract<Refusal, { kind: Kind }>, string] } = {
  truncated: [{ kind: 'truncated', field: 'Ack.deliveryId' }, 'Ack.deliveryId ends before its bytes do'],
  missing: [{ kind: 'missing', field: 'Ack.deliveryId' }, 'Ack.deliveryId is missing'],
  tooLong: [
    { kind: 'tooLong', field: 'frame', limit: 81_920, actual: 90_000 },
    'frame has 90000, the limit is 81920',
  ],
  wrongLength: [
    { kind: 'wrongLength', field: 'Ack.deliveryId', expected: 16, actual: 15 },
    'Ack.deliveryId has 15 bytes, expected 16',
  ],
  outOfRange: [
    { kind: 'outOfRange', field: 'Progress.permille', min: '0', max: '1000', actual: '1001' },
    'Progress.permille is 1001, allowed is 0 to 1000',
  ],
  unknownChoice: [
    { kind: 'unknownChoice', field: 'Presence.state', actual: 9 },
    'Presence.state has the unknown value 9',
  ],
  unknownField: [{ kind: 'unknownField', field: 'Ack', number: 2 }, 'Ack has the unknown field number 2'],
  wrongWireType: [
    { kind: 'wrongWireType', field: 'Ack.deliveryId', expected: 2, actual: 0 },
    'Ack.deliveryId has wire type 0, expected 2',
  ],
  badText: [{ kind: 'badText', field: 'Reject.message' }, 'Reject.message is not printable ASCII'],
  badPublicKey: [
    { kind: 'badPublicKey', field: 'Hello.publicKey' },
    'Hello.publicKey is not an uncompressed P-256 point (0x04 and 64 bytes)',
  ],
  badSignature: [
    { kind: 'badSignature', field: 'Hello.signature' },
    'Hello.signature is not a P-256 signature with r and s in range and s in the lower half',
  ],
  inconsistent: [
    { kind: 'inconsistent', field: 'Attestation.index', rule: 'the index lies within the batch' },
    'Attestation.index: the index lies within the batch',
  ],
  nonCanonical: [{ kind: 'nonCanonical', field: 'Ack' }, 'Ack is not in its one accepted encoding'],
  unknownFrame: [{ kind: 'unknownFrame', field: 'frame', actual: 99 }, 'frame has the unknown type 99'],
  unexpectedFrame: [
    { kind: 'unexpectedFrame', field: 'hello', sender: 'orchestrator' },
    'hello is not a frame that the orchestrator sends',
  ],
}

for (const [kind, [refusal, sentence]] of Object.entries(sentences)) {
  test(`${kind} is one sentence that names the field`, () => {
    expect(describeRefusal(refusal)).toBe(sentence)
  })
}
