import { expect, test } from 'bun:test'
import { createLineWriter } from './lineWriter.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('lines of one turn are one write, and nothing is written before the turn ends', async () => {
  const written: string[] = []
  const writer = createLineWriter((text, done) => {
    written.push(text)
    done()
  })
  writer.write('a')
  writer.write('b')
  expect(written).toEqual([])
  await writer.flush()
  writer.write('c')
  await writer.flush()
  expect(written).toEqual(['a\nb\n', 'c\n'])
})

test('a sink that stands still holds nobody up; what does not fit is counted', async () => {
  const written: string[] = []
  const dropped: string[] = []
  let release: () => void = () => {}
  const writer = createLineWriter(
    (text, done) => {
      written.push(text)
      release = done
    },
    (line) => dropped.push(line),
    10,
  )
  writer.write('first')
  await turn()
  await turn()
  for (const line of ['aaaa', 'bbbb', 'cccc']) writer.write(line)
  await turn()
  expect(written).toEqual(['first\n'])
  expect(dropped).toEqual(['cccc'])
  release()
  await turn()
  expect(written).toEqual(['first\n', 'aaaa\nbbbb\n'])
  // There is room again.
  writer.write('dddd')
  release()
  const flushed = writer.flush()
  await turn()
  release()
  await flushed
  expect(written.at(-1)).toBe('dddd\n')
})

test('flushing what is empty is done at once', async () => {
  await createLineWriter(() => {}).flush()
})
