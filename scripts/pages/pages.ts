/** The pages of the project: their code blocks, and the tables that map names of other projects. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * What is done with a block, by its language; another language, or none, is an error.
 * `ts` is a separate module: it is compiled, run, and prints the comments `// → ` at its end.
 * `sh` is a bash script, and likewise, with `# → `. One that installs something is only parsed.
 * `js` is for another program, such as a test runner, and is not run. `json` is parsed. `text` is not tested.
 */
export const LANGUAGES: readonly string[] = ['ts', 'js', 'sh', 'json', 'text']

export interface Block {
  /** `docs/coming-from/netns.md:12` */
  readonly place: string
  readonly language: string
  /** The marks of the block after its language: `rootless`, `container`, or `limits` for those of control groups. */
  readonly marks: readonly string[]
  readonly code: string
}

/** A block that is run. */
export interface Snippet extends Block {
  readonly language: 'ts' | 'sh'
  /** The documented output. */
  readonly output: string
}

/** A table row: a name of another project, and the code in the second column. */
export interface Row {
  readonly name: string
  readonly here: readonly string[]
}

/** A section with a second-level heading. */
export interface Chapter {
  readonly title: string
  readonly rows: readonly Row[]
  readonly snippets: readonly Snippet[]
}

const ROOT = new URL('../../', import.meta.url)

/** The paths of all pages: those in the root of the project, and below `docs` and `npm`. */
export function pagesOf(): string[] {
  const below = ['docs', 'npm'].flatMap((directory) =>
    readdirSync(new URL(directory, ROOT), { recursive: true, encoding: 'utf8' }).map((name) => `${directory}/${name}`),
  )
  return [...readdirSync(ROOT), ...below].filter((path) => path.endsWith('.md')).sort()
}

/** The text of a page, by its path in the project. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

export function blocksOf(path: string): Block[] {
  return blocksIn(textOf(path), path, 1)
}

/** The blocks that are run. */
export function snippetsOf(blocks: readonly Block[]): Snippet[] {
  return blocks.filter(isRun).map((block) => ({ ...block, output: outputOf(block) }))
}

export function chaptersOf(path: string): Chapter[] {
  const page = textOf(path)
  return [...page.matchAll(/^## (.*)\n((?:(?!## ).*\n)*)/gm)].map(
    ({ 1: title = '', 2: text = '', index, 0: whole }) => {
      const line = page.slice(0, index + whole.length - text.length).split('\n').length
      return { title, rows: rowsOf(text), snippets: snippetsOf(blocksIn(text, path, line)) }
    },
  )
}

function rowsOf(text: string): Row[] {
  return [...text.matchAll(/^\| `([^`]+)`.*?\| (.*) \|$/gm)].map(([, name = '', here = '']) => {
    return { name, here: [...here.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code) }
  })
}

/** Line by line, so that no fence is missed: a block without an end throws. */
function blocksIn(text: string, path: string, firstLine: number): Block[] {
  const blocks: Block[] = []
  let open: { place: string; fence: string; words: string[]; lines: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence, words = ''] = /^\s*(```+|~~~+)(.*)$/.exec(line) ?? []
    if (open === undefined) {
      if (fence === undefined) continue
      open = { place: `${path}:${firstLine + index}`, fence, words: words.split(' ').filter(Boolean), lines: [] }
    } else if (fence === open.fence && words === '') {
      const [language = '', ...marks] = open.words
      blocks.push({ place: open.place, language, marks, code: `${open.lines.join('\n')}\n` })
      open = undefined
    } else {
      open.lines.push(line)
    }
  }
  if (open !== undefined) throw new Error(`${open.place}: the block has no end`)
  return blocks
}

/** Blocks that install change the machine, and need a network, which snippets lack. */
const INSTALLS = /^(sudo|npm install|apt-get|docker|podman)\b/m

export function isInstallation({ language, code }: Block): boolean {
  return language === 'sh' && INSTALLS.test(code)
}

function isRun(block: Block): block is Block & { language: 'ts' | 'sh' } {
  return block.language === 'ts' || (block.language === 'sh' && !isInstallation(block))
}

function outputOf({ language, code }: Block): string {
  const mark = language === 'ts' ? '// → ' : '# → '
  const [output = ''] = new RegExp(`(?:^${mark}.*\n)+$`, 'm').exec(code) ?? []
  return output.replaceAll(mark, '')
}
