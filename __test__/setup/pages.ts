/** Pages of docs/ that go through the names of another project: their tables, and their snippets of TypeScript. */
import { readFileSync } from 'node:fs'

export interface Snippet {
  /** `docs/from-netns.md:12` */
  readonly place: string
  readonly code: string
  /** What the block says of itself after `ts`: `rootless`, `container`. */
  readonly marks: readonly string[]
  /** What it says that it prints, in the comments `// → ` at its end. */
  readonly output: string
}

/** A line of a table: a name of theirs, and what the second column says in code. */
export interface Row {
  readonly name: string
  readonly here: readonly string[]
}

/** A chapter of second order. */
export interface Chapter {
  readonly title: string
  readonly rows: readonly Row[]
  readonly snippets: readonly Snippet[]
}

export function readPage(path: string): Chapter[] {
  const page = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  return [...page.matchAll(/^## (.*)\n((?:(?!## ).*\n)*)/gm)].map(
    ({ 1: title = '', 2: text = '', index, 0: whole }) => {
      const line = page.slice(0, index + whole.length - text.length).split('\n').length
      return { title, rows: rowsOf(text), snippets: snippetsOf(text, path, line) }
    },
  )
}

function rowsOf(text: string): Row[] {
  return [...text.matchAll(/^\| `([\w.]+).*?\| (.*) \|$/gm)].map(([, name = '', here = '']) => {
    return { name, here: [...here.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code) }
  })
}

function snippetsOf(text: string, path: string, line: number): Snippet[] {
  return [...text.matchAll(/^```ts(.*)\n((?:(?!```).*\n)*)```$/gm)].map(({ 1: marks = '', 2: code = '', index }) => {
    const [said = ''] = /(?:\/\/ → .*\n)+$/.exec(code) ?? []
    return {
      place: `${path}:${line + text.slice(0, index).split('\n').length - 1}`,
      code,
      marks: marks.split(' ').filter((mark) => mark !== ''),
      output: said.replaceAll('// → ', ''),
    }
  })
}
