/** A certificate for 127.0.0.1 that signs itself, in PEM, made here: no key lies in the repository, and no tool is needed. */
import { generateKeyPairSync, sign } from 'node:crypto'

const bytes = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = bytes(...parts)
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return bytes(Uint8Array.of(tag, ...head), content)
}

const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts)
const hex = (text: string): Uint8Array => Uint8Array.fromHex(text)
const text = (tag: number, content: string): Uint8Array => der(tag, new TextEncoder().encode(content))

function pem(what: string, content: Uint8Array): string {
  const lines =
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${what}-----\n${lines.join('\n')}\n-----END ${what}-----\n`
}

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export function makeCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(hex('06082a8648ce3d040302'))
  const name = sequence(der(0x31, sequence(hex('0603550403'), text(0x0c, '127.0.0.1'))))
  const validity = sequence(text(0x17, '250101000000Z'), text(0x17, '491231235959Z'))
  // subjectAltName: the address 127.0.0.1.
  const names = sequence(hex('0603551d11'), der(0x04, sequence(der(0x87, Uint8Array.of(127, 0, 0, 1)))))
  const content = sequence(
    der(0xa0, hex('020102')),
    der(0x02, Uint8Array.of(1)),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(names)),
  )
  const signature = sign('sha256', content, privateKey)
  const whole = sequence(content, ecdsaWithSha256, der(0x03, Uint8Array.of(0), signature))
  return {
    cert: pem('CERTIFICATE', whole),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  }
}
