/** Links between the pages refer to an existing file, and to a heading in it. */
import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { pagesOf, textOf } from '../../scripts/pages/pages.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Link {
  readonly from: string
  readonly to: string
}

const links = pagesOf().flatMap((from) => linksOf(textOf(from)).map((to): Link => ({ from, to })))
const inside = links.filter(({ to }) => !/^[a-z]+:/.test(to))

test('links to files and headings are valid', () => {
  expect(inside.length).toBeGreaterThan(50)
  expect(inside.filter((link) => !leadsSomewhere(link)).map(({ from, to }) => `${from}: ${to}`)).toEqual([])
})

test('links to other sites use https', () => {
  const elsewhere = links.filter(({ to }) => /^[a-z]+:/.test(to))
  expect(elsewhere.filter(({ to }) => !to.startsWith('https://'))).toEqual([])
})

test('a link to a missing file or heading is found', () => {
  expect(leadsSomewhere({ from: 'docs/README.md', to: 'first-steps.md#install' })).toBe(true)
  expect(leadsSomewhere({ from: 'docs/README.md', to: 'last-steps.md' })).toBe(false)
  expect(leadsSomewhere({ from: 'docs/README.md', to: 'first-steps.md#remove' })).toBe(false)
})

test('the table of contents has every page of docs once, and decisions by their table', () => {
  const links = linksOf(textOf('docs/README.md')).toSorted()
  const pages = pagesOf().filter((path) => /^docs\/(?!decisions\/|README)/.test(path))
  expect(links).toEqual([...pages, 'docs/decisions/README.md'].map((path) => path.replace('docs/', '')).toSorted())
})

test('the site has the pages of the table of contents, in its order', () => {
  const { projectDocuments } = JSON.parse(textOf('typedoc.json')) as { projectDocuments: string[] }
  const links = linksOf(textOf('docs/README.md')).map((path) => `docs/${path}`)
  const pages = links.map((path) => (path === 'docs/decisions/README.md' ? 'docs/decisions/*.md' : path))
  expect(projectDocuments.slice(0, pages.length)).toEqual(pages)
})

/** The targets of the links of a page, except those in code. */
function linksOf(text: string): string[] {
  const words = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
  return [...words.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to)
}

function leadsSomewhere({ from, to }: Link): boolean {
  const [path = '', anchor] = to.split('#')
  const file = path === '' ? from : posix.join(posix.dirname(from), path)
  if (!existsSync(`${ROOT}${file}`)) return false
  return anchor === undefined || anchorsOf(textOf(file)).includes(anchor)
}

/** The anchors that GitHub creates for headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}
