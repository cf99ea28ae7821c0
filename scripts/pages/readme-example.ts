/** The first example of the README, JavaScript that runs unchanged in every supported Node.js, and its output. */
import { blocksOf } from './pages.ts'

export const README_EXAMPLE = blocksOf('README.md').find(({ language }) => language === 'ts')?.code ?? ''

export const README_OUTPUT = /^NamespaceSet\(net:\[\d+\] user:\[\d+\] uts:\[\d+\]\) root\ninside\nlo .*127\.0\.0\.1\/8/
