/** What an import costs over a bare start of Node, and the size of the binary. */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { interleave } from '../measure.ts'
import type { Row } from '../row.ts'

const ROOT = new URL('../../', import.meta.url)

export async function suite(): Promise<Row[]> {
  const face = new URL('dist/index.js', ROOT).href
  const figures = await interleave(
    [
      { name: 'with', sample: () => start(`import ${JSON.stringify(face)}`) },
      { name: 'without', sample: () => start('') },
    ],
    20,
  )
  const [withIt, without] = [figures.get('with')?.median ?? Number.NaN, figures.get('without')?.median ?? Number.NaN]
  const binary = readdirSync(fileURLToPath(ROOT)).find((name) => name.endsWith('.node'))
  if (binary === undefined) throw new Error('there is no binary: npm run build')
  return [
    { name: 'import, over a bare start', unit: 'ms', ours: withIt - without, limit: { of: 'ours', most: 15 } },
    {
      name: `size of ${binary}`,
      unit: 'MB',
      ours: statSync(new URL(binary, ROOT)).size / 1e6,
      limit: { of: 'ours', most: 2 },
    },
  ]
}

function start(code: string): number {
  const before = process.hrtime.bigint()
  const { NAPI_RS_NATIVE_LIBRARY_PATH: _, ...env } = process.env
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, timeout: 10_000 })
  if (status !== 0) throw new Error(`node ended with ${status}`)
  return Number(process.hrtime.bigint() - before) / 1e6
}
