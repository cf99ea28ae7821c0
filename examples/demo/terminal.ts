/** The output of the demo: at most 80 columns, in colors on a terminal only. */
import { stripVTControlCharacters as plain } from 'node:util'

const COLUMNS = 80
const LABEL = 22

const isTerminal = process.stdout.isTTY === true
const style = (code: number) => (text: string) => (isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text)

export const bold = style(1)
export const red = style(31)
export const green = style(32)
export const cyan = style(36)

/** A line with a label, and as many more as the text needs. */
export function say(label: string, text: string): void {
  const [first = '', ...more] = wrap(text, COLUMNS - LABEL - 2)
  console.log(`  ${label.padEnd(LABEL)}${first}`.trimEnd())
  for (const line of more) console.log(`  ${''.padEnd(LABEL)}${line}`)
}

/** Prints whether a result is as expected; otherwise the demo fails. */
export function verdict(isRight: boolean, right: string, wrong: string): string {
  if (isRight) return green(right)
  process.exitCode = 1
  return red(wrong)
}

function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    const isFull = line !== '' && plain(`${line} ${word}`).length > width
    if (isFull) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
