/** The first example of the README: JavaScript that every supported Node.js runs as it stands, and what it prints. */
import { blocksOf } from './pages.ts'

export const README_EXAMPLE = blocksOf('README.md').find(({ language }) => language === 'ts')?.code ?? ''

export const README_OUTPUT = /^NamespaceSet\(net:\[\d+\] user:\[\d+\] uts:\[\d+\]\) root\ninside\nlo .*127\.0\.0\.1\/8/
