/** The command `srt` of npm's @anthropic-ai/sandbox-runtime, which runs bubblewrap: `peers/srt`. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installPackage } from './npm-package.ts'
import { isMissing, isPresent } from './presence.ts'

const NAME = '@anthropic-ai/sandbox-runtime'

/** The command, with settings that allow no network and one directory. */
export function findSrt(directory: string): string[] | undefined {
  const installed = installPackage('srt', NAME)
  if (installed === undefined) return undefined
  const command = fileURLToPath(new URL('node_modules/.bin/srt', installed.home))
  const settings = `${directory}/srt.json`
  const network = { allowedDomains: [], deniedDomains: [] }
  writeFileSync(
    settings,
    JSON.stringify({ filesystem: { denyRead: [], allowWrite: [directory], denyWrite: [] }, network }),
  )
  try {
    execFileSync(command, ['-s', settings, 'true'], { timeout: 20_000, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    isMissing('srt', String((error as { stderr?: string }).stderr ?? error).split('\n')[0] ?? '')
    return undefined
  }
  isPresent('srt', installed.version)
  return [command, '-s', settings]
}
