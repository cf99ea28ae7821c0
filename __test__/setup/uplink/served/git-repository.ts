/** A repository of git, as a server without programs of git has it (gitprotocol-http(5), "Dumb Clients"). */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TemporaryDirectory } from '../../sets/temporary-directory.ts'
import type { Files } from './files.ts'

const AUTHOR = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']

/** One commit with one file. The commit's name is returned, too. */
export function gitRepository(host: string, directory: TemporaryDirectory): { files: Files; commit: string } {
  const [work, bare] = [directory.file('work'), directory.file('project.git')]
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe', timeout: 20_000 }).trim()
  git('init', '--quiet', '--initial-branch=main', work)
  writeFileSync(join(work, 'file'), 'from the repository\n')
  git('-C', work, 'add', 'file')
  git('-C', work, ...AUTHOR, 'commit', '--quiet', '--message=One')
  git('clone', '--quiet', '--bare', work, bare)
  git('-C', bare, 'update-server-info')
  const names = readdirSync(bare, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(bare, name)).isFile(),
  )
  const files = new Map(names.map((name) => [`${host}/project.git/${name}`, readFileSync(join(bare, name))]))
  return { files, commit: git('-C', work, 'rev-parse', 'HEAD') }
}
