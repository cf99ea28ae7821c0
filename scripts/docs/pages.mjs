/**
 * Typedoc's plugin for the pages: each has its heading as its title, is listed under its section of docs/README.md,
 * and links to other files in the repository.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Converter } from 'typedoc'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const REPOSITORY = 'https://github.com/nsset/nsset/blob/main/'

/** @param {import('typedoc').Application} app */
export function load(app) {
  const chapters = chaptersOfPages()
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const path = pathIn(page.project.files.getReflectionPath(page))
    page.name = headingOf(page.content)
    page.frontmatter.category = chapters.get(path) ?? (path.startsWith('docs/decisions/') ? 'Decisions' : 'Project')
  })
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const { readme = [], documents = [] } = project
    // Typedoc writes its own title, on the front page only.
    if (readme[0] !== undefined) readme[0].text = readme[0].text.replace(/^# .*\n/, '')
    for (const content of [readme, ...documents.map((page) => page.content)]) leadToRepository(content, project)
  })
}

/** The section of the table of contents with a page. */
function chaptersOfPages() {
  const contents = readFileSync(`${ROOT}docs/README.md`, 'utf8')
  const chapters = contents.split(/^## /m).slice(1)
  return new Map(
    chapters.flatMap((chapter) => {
      const title = chapter.slice(0, chapter.indexOf('\n'))
      return [...chapter.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => [`docs/${path}`, title])
    }),
  )
}

/** Code in it is a separate part. */
function headingOf(content) {
  const end = content.findIndex(({ text }) => text.includes('\n'))
  const parts = content.slice(0, end + 1).map(({ text }) => text)
  return parts.join('').split('\n', 1)[0].replace(/^# /, '').replaceAll('`', '')
}

/** Typedoc would offer a copy to download. */
function leadToRepository(content, project) {
  for (const [index, part] of content.entries()) {
    if (part.kind !== 'relative-link' || typeof part.target !== 'number') continue
    const to = project.files.resolve(part.target, project)
    if (typeof to === 'string') content[index] = { kind: 'text', text: `${REPOSITORY}${pathIn(to)}` }
  }
}

function pathIn(file) {
  return file.slice(ROOT.length)
}
