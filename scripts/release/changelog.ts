/** CHANGELOG.md: a section for each version, the newest first, and before them `## Unreleased`. */

export const CHANGELOG = 'CHANGELOG.md'
export const UNRELEASED = 'Unreleased'

/** The text of each version: below `## 1.2.3`, or `## 1.2.3 - 2026-12-24`, by the version alone. */
export function chaptersOf(changelog: string): Map<string, string> {
  const [, ...chapters] = `\n${changelog}`.split('\n## ')
  return new Map(
    chapters.map((chapter) => {
      const [heading = '', ...lines] = chapter.split('\n')
      return [heading.split(' ')[0] as string, lines.join('\n').trim()]
    }),
  )
}
