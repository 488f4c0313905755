/** Bytes as words that can be said over a telephone: two bytes a word, by the proquint scheme (arXiv:0901.4016). */
const consonants = 'bdfghjklmnprstvz'
const vowels = 'aiou'

/** As many words as the bytes have pairs; an odd last byte is not said. */
export function wordsOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: Math.floor(bytes.length / 2) }, (_, index) => {
    const pair = view.getUint16(2 * index, false)
    return [
      consonants[pair >> 12],
      vowels[(pair >> 10) & 3],
      consonants[(pair >> 6) & 15],
      vowels[(pair >> 4) & 3],
      consonants[pair & 15],
    ].join('')
  }).join(' ')
}
