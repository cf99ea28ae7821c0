/** The first example of the README, as a module that every supported Node.js runs, and what it prints. */
import { transformSync } from 'esbuild'
import { blocksOf } from './pages.ts'

const text = blocksOf('README.md').find(({ language }) => language === 'ts')?.code ?? ''

/** Node.js below 24 has no `await using`; else it is the text of the README. */
export const README_EXAMPLE = transformSync(text, { loader: 'ts', format: 'esm', target: 'node20' }).code

export const README_OUTPUT = /^NamespaceSet\(net:\[\d+\] user:\[\d+\] uts:\[\d+\]\) root\ninside\nlo .*127\.0\.0\.1\/8/
