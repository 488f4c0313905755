/** The other end of `Running.ask`: a process of this benchmark that says it is ready and then answers line by line. */
import { createInterface } from 'node:readline'

/** Libraries may print what they like; only lines that begin so are answers. */
export const answerPrefix = 'answer: '
export const readyLine = /^ready to answer$/

/** Ends the process when nobody can ask any more. */
export function answerQuestions(answer: (question: string) => unknown): void {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (question) => {
    const text = String((await answer(question)) ?? '')
    console.log(answerPrefix + text)
  })
  lines.on('close', () => process.exit(0))
  console.log('ready to answer')
}
